import HTTPText
import Testing

@Suite struct PeerAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("", ""),
    ]) func theCanonicalTextIsTheShortestOne(text: String, canonical: String) {
        let peer = PeerAddress(text)
        #expect(peer.text == text && peer.canonical == canonical)
        #expect(peer.address == IPAddress(text))
    }
}
