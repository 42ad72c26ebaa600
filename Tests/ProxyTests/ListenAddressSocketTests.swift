import NIOCore
import Settings
import Testing

@testable import Proxy

@Suite struct ListenAddressSocketTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("[::1]:8080", "http://[::1]:8080"),
        ("0.0.0.0:80", "http://0.0.0.0:80"), ("unix:/tmp/a.sock", "unix:/tmp/a.sock"),
    ]) func anAddressIsToldAsAURL(text: String, url: String) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.url(port: nil) == url)
    }

    @Test func thePortIsTheOneThatTheSystemChose() throws {
        let address = try #require(ListenAddress("127.0.0.1:0"))
        #expect(address.url(port: 4711) == "http://127.0.0.1:4711")
        #expect(try #require(ListenAddress("unix:/a")).url(port: 4711) == "unix:/a")
    }

    @Test func everyFormIsASocketsAddress() throws {
        #expect(
            try #require(ListenAddress("[::1]:8080")).socketAddress() == SocketAddress(ipAddress: "::1", port: 8080))
        let unix = try #require(ListenAddress("unix:/a")).socketAddress()
        #expect(unix.pathname == "/a")
    }
}
