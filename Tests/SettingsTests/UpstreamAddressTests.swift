import Testing

@testable import Settings

@Suite struct UpstreamAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:9000", UpstreamAddress(host: "127.0.0.1", port: 9000), "127.0.0.1:9000"),
        ("http://Origin.Internal", UpstreamAddress(host: "origin.internal", port: 80), "origin.internal"),
        ("http://o:80", UpstreamAddress(host: "o", port: 80), "o"),
        ("http://[2001:DB8::1]:81", UpstreamAddress(host: "2001:db8::1", port: 81), "[2001:db8::1]:81"),
    ])
    func readsAURL(text: String, address: UpstreamAddress, authority: String) throws {
        #expect(try UpstreamAddress(text) == address)
        #expect(address.authority == authority)
        #expect(address.text == "http://\(authority)")
    }

    @Test(arguments: [
        ("https://o", 443, "o"), ("https://o:443", 443, "o"), ("https://o:80", 80, "o:80"),
    ])
    func readsAURLWithTLS(text: String, port: Int, authority: String) throws {
        let address = try #require(try UpstreamAddress(text))
        #expect((address.scheme, address.host, address.port) == (.https, "o", port))
        #expect(address.authority == authority)
        #expect(address.text == "https://\(authority)")
    }

    @Test func readsAUnixSocket() throws {
        let address = try #require(try UpstreamAddress("unix:/run/o.sock"))
        #expect(address.socketPath == "/run/o.sock")
        #expect(address.text == "unix:/run/o.sock")
        #expect(address.url == "http://localhost" && address.authority == "localhost")
    }

    @Test(arguments: [
        "unix:", "unix:/\(String(repeating: "a", count: 107))", "", "http://", "http:///", "o:9000", "//o", "HTTP://o",
        "ftp://o", "http://o:0", "http://o:65536", "http://o:",
        "http://-o", "http://o..p", "http://o.", "http://\(String(repeating: "a", count: 64))", "http://1.2.3",
        "http://2130706433", "http://o%20", "http://ö", "http://o\r\nX: y", "http://[::1]x",
    ])
    func refuses(_ text: String) {
        #expect((try? UpstreamAddress(text)).flatMap(\.self) == nil)
    }

    @Test(arguments: [
        ("http://o/", "must not have a path"), ("http://o:9000/a?b#c", "must not have a path"),
        ("http://o?x", "must not have a path"), ("http://user:pass@o/", "must not have a user"),
        ("https://o/", "must not have a path"), ("https://user@o", "must not have a user"),
    ])
    func reportsTheReason(text: String, words: String) {
        let refusal = #expect(throws: Refusal.self) { try UpstreamAddress(text) }
        #expect(refusal?.reason.contains(words) == true)
    }
}
