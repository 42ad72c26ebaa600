import Downstream
import Flow
import NIOHTTP1
import Settings
import Testing

@testable import Proxy

@Suite struct ClientAddressTests {
    private let clients: ClientAddress

    init() throws {
        clients = ClientAddress(
            trusted: try ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"].map { try #require(AddressBlock($0)) })
    }

    private func client(
        _ headers: HTTPHeaders, peer: String = "10.0.0.1",
        by field: Configuration.ForwardedHeader = .xForwardedFor
    ) -> String {
        var clients = clients
        clients.believes = field
        return clients.client(of: request(headers, peer: peer))
    }

    private func request(_ headers: HTTPHeaders, peer: String = "10.0.0.1") -> Request {
        Request(head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers), peer: peer)
    }

    // MARK: Whom to believe

    @Test func whoIsNotTrustedIsTheClientWhateverItSays() {
        let headers: HTTPHeaders = ["X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.2"]
        #expect(client(headers, peer: "198.51.100.9") == "198.51.100.9")
    }

    @Test func aTrustedPeerThatSaysNothingIsTheClient() {
        #expect(client([:]) == "10.0.0.1")
        #expect(client(["X-Forwarded-For": ""]) == "10.0.0.1")
        #expect(client(["Forwarded": "proto=http;by=10.0.0.9"], by: .forwarded) == "10.0.0.1")
    }

    @Test func aTrustedPeerIsBelieved() {
        #expect(client(["X-Forwarded-For": "203.0.113.1"]) == "203.0.113.1")
        #expect(client(["Forwarded": "for=203.0.113.1"], by: .forwarded) == "203.0.113.1")
    }

    /// What stands left of the address that the last trusted proxy saw is whatever the client made up.
    @Test func spoofedEntriesAtTheLeftAreNotBelieved() {
        #expect(client(["X-Forwarded-For": "127.0.0.1, 10.0.0.7, 203.0.113.1"]) == "203.0.113.1")
        #expect(client(["X-Forwarded-For": "192.0.2.66, 203.0.113.1, 10.0.0.7"]) == "203.0.113.1")
        #expect(
            client(["Forwarded": "for=192.0.2.66, for=203.0.113.1;proto=http, for=10.0.0.7"], by: .forwarded)
                == "203.0.113.1")
    }

    @Test func severalFieldsAreOneChain() {
        let headers = HTTPHeaders([
            ("X-Forwarded-For", "192.0.2.66"), ("x-forwarded-for", "203.0.113.1"), ("X-Forwarded-For", "10.0.0.7"),
        ])
        #expect(client(headers) == "203.0.113.1")
    }

    @Test func aChainOfTrustedProxiesAloneEndsAtItsFirst() {
        #expect(client(["X-Forwarded-For": "10.0.0.5, 10.0.0.6"]) == "10.0.0.5")
    }

    /// What a trusted proxy does not set it may hand through as the client wrote it.
    @Test func onlyTheFieldThatTrustedProxiesSetIsBelieved() {
        let headers: HTTPHeaders = ["X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.2"]
        #expect(client(headers) == "203.0.113.1")
        #expect(client(headers, by: .forwarded) == "203.0.113.2")
        #expect(client(["Forwarded": "for=203.0.113.2"]) == "10.0.0.1")
        #expect(client(["X-Forwarded-For": "203.0.113.2"], by: .forwarded) == "10.0.0.1")
    }

    @Test func whoeverMayOpenAUnixSocketIsTrusted() {
        #expect(client(["X-Forwarded-For": "203.0.113.1"], peer: "") == "203.0.113.1")
        #expect(client([:], peer: "") == "")
    }

    @Test func anIPv4PeerOfAnIPv6ListenerIsTrustedAsWhatItIs() {
        #expect(client(["X-Forwarded-For": "203.0.113.1"], peer: "::ffff:10.0.0.1") == "203.0.113.1")
    }

    // MARK: How addresses are written (RFC 7239, section 6)

    @Test(arguments: [
        ("for=\"[2001:db9::1]:4711\"", "2001:db9::1"), ("for=\"[2001:DB9:0:0::1]\"", "2001:db9::1"),
        ("for=203.0.113.1:4711", "203.0.113.1"), ("for=\"203.0.113.1:4711\"", "203.0.113.1"),
        ("For=203.0.113.1", "203.0.113.1"), ("proto=https;for=203.0.113.1;by=10.0.0.1", "203.0.113.1"),
        ("proto=https; for=203.0.113.1 ; by=10.0.0.1", "203.0.113.1"),
    ]) func forwardedIsReadInAllItsForms(element: String, address: String) {
        #expect(client(["Forwarded": element], by: .forwarded) == address)
    }

    @Test(arguments: [
        ("203.0.113.1", "203.0.113.1"), ("203.0.113.1:4711", "203.0.113.1"), ("2001:db9::1", "2001:db9::1"),
        ("[2001:db9::1]", "2001:db9::1"), ("[2001:db9::1]:4711", "2001:db9::1"), ("\t203.0.113.1 ", "203.0.113.1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
    ]) func xForwardedForIsReadInAllItsForms(element: String, address: String) {
        #expect(client(["X-Forwarded-For": element]) == address)
    }

    /// Behind a name that is no address nobody can be found: the last one known is the client.
    @Test(arguments: ["unknown", "_hidden", "example.com", "1.2.3", "[2001:db9::1", "for", "%", "203.0.113.1.5"])
    func aNameThatIsNoAddressEndsTheChain(name: String) {
        #expect(client(["X-Forwarded-For": "203.0.113.1, \(name), 10.0.0.7"]) == "10.0.0.7")
        #expect(client(["X-Forwarded-For": name]) == "10.0.0.1")
        #expect(client(["Forwarded": "for=203.0.113.1, for=\"\(name)\", for=10.0.0.7"], by: .forwarded) == "10.0.0.7")
    }

    // MARK: The key

    @Test func theKeyIsTheAddressOrTheHeader() {
        let request = request(["X-Api-Key": "secret", "x-api-key": "second"])
        #expect(clients.key(of: request, address: "a", by: .address) == ClientKey("a"))
        #expect(clients.key(of: request, address: "a", by: .header("x-api-key")) == ClientKey("secret"))
    }

    @Test func theKeyIsTheCertificateOrTheAddressOfWhoShowsNone() {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: [:])
        let known = Request(head: head, peer: "10.0.0.1", isSecure: true, certificate: "c0ffee")
        #expect(clients.key(of: known, address: "a", by: .certificate) == ClientKey("c0ffee"))
        #expect(clients.key(of: known.withHeaders([:]), address: "a", by: .certificate) == ClientKey("c0ffee"))
        #expect(clients.key(of: request([:]), address: "a", by: .certificate) == ClientKey("a"))
    }

    @Test func allWhoSendNoKeyShareOne() {
        let first = clients.key(of: request([:]), address: "a", by: .header("x-api-key"))
        let second = clients.key(of: request([:]), address: "b", by: .header("x-api-key"))
        #expect(first == second)
    }
}
