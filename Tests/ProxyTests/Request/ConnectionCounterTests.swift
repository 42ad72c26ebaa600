import Testing

@testable import Proxy

@Suite struct ConnectionCounterTests {
    @Test func addressesOfOneNetworkCountAsOne() {
        let counter = ConnectionCounter(maximum: 10, perAddress: 2)
        #expect(counter.enter("2001:db8::1") && counter.enter("2001:db8::2:0:0:1"))
        #expect(!counter.enter("2001:db8::3"))
        #expect(counter.enter("2001:db8:0:1::1"))
        counter.left("2001:db8::1")
        #expect(counter.enter("2001:db8::4"))
    }

    @Test func anAddressOfIPv4CountsForItselfHoweverItIsWritten() {
        let counter = ConnectionCounter(maximum: 10, perAddress: 1)
        #expect(counter.enter("192.0.2.1") && counter.enter("192.0.2.2"))
        #expect(!counter.enter("::ffff:192.0.2.1"))
    }

    @Test func peersOfAUnixSocketAreNotBoundedByTheirAddress() {
        let counter = ConnectionCounter(maximum: 2, perAddress: 1)
        #expect(counter.enter("") && counter.enter(""))
        #expect(!counter.enter(""))
    }
}
