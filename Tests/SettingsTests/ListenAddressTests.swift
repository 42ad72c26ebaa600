import Testing

@testable import Settings

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", ListenAddress.ip(host: "127.0.0.1", port: 8080)),
        ("0.0.0.0:0", .ip(host: "0.0.0.0", port: 0)),
        ("[::]:65535", .ip(host: "::", port: 65535)),
        ("unix:/run/weir.sock", .unix(path: "/run/weir.sock")),
        ("unix:weir.sock", .unix(path: "weir.sock")),
    ])
    func readsAndWritesItsText(text: String, address: ListenAddress) {
        #expect(ListenAddress(text) == address)
        #expect(address.text == text)
    }

    @Test func takesUnixPathsThatFitTheirStructure() {
        #expect(ListenAddress("unix:" + String(repeating: "a", count: 107)) != nil)
        #expect(ListenAddress("unix:" + String(repeating: "a", count: 108)) == nil)
        #expect(ListenAddress("unix:" + String(repeating: "ä", count: 54)) == nil)
    }

    @Test(arguments: [
        "", ":", ":80", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+80", "127.0.0.1:8O", "::1:80",
        "[::1]", "[::1]80", "[::1]:", "[::1", "[]:80", "[127.0.0.1]:80", "example.com:80", "1.2.3:80", "unix:",
        "unix:/a\0b", "UNIX:/a", "127.0.0.1:80:80", "127.0.0.1:99999999999999999999",
    ])
    func refuses(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func onlyAFreePortMayStandTwice() {
        #expect(ListenAddress.ip(host: "::", port: 80).isExclusive)
        #expect(ListenAddress.unix(path: "a").isExclusive)
        #expect(!ListenAddress.ip(host: "::", port: 0).isExclusive)
    }
}
