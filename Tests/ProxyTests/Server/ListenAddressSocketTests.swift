import Glibc
import NIOCore
import Settings
import Testing

@testable import Proxy

@Suite struct ListenAddressSocketTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("[::1]:8080", "http://[::1]:8080"),
        ("0.0.0.0:80", "http://0.0.0.0:80"), ("unix:/tmp/a.sock", "unix:/tmp/a.sock"),
    ]) func anAddressIsShownAsAURL(text: String, url: String) throws {
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

    @Test(arguments: [
        (["127.0.0.1:80", "127.0.0.1:81"], ["127.0.0.1:80", "127.0.0.1:81"], [false, false]),
        (["127.0.0.1:80", "0.0.0.0:80", "[::]:80"], ["[::]:80", "0.0.0.0:80", "127.0.0.1:80"], [false, true, true]),
        (["[::1]:80", "0.0.0.0:80"], ["0.0.0.0:80", "[::1]:80"], [false, false]),
        (["10.0.0.1:80", "0.0.0.0:81"], ["0.0.0.0:81", "10.0.0.1:80"], [false, false]),
        (["0.0.0.0:0", "[::]:0", "unix:/a"], ["[::]:0", "0.0.0.0:0", "unix:/a"], [false, false, false]),
    ])
    func theWidestAddressIsBoundFirst(texts: [String], order: [String], sharesOwn: [Bool]) throws {
        let bound = try texts.map { PublicListener(try #require(ListenAddress($0))) }.inOrderOfBinding
        #expect(bound.map(\.listener.address.text) == order)
        #expect(bound.map(\.sharesOwn) == sharesOwn)
    }

    @Test(arguments: [
        ("127.0.0.1:80", EADDRINUSE, "another process listens there, or another listener of this one"),
        ("unix:/run/weir.sock", EADDRINUSE, "another process listens there"),
        ("10.1.2.3:80", EADDRNOTAVAIL, "no network interface of this machine has this address"),
        ("127.0.0.1:8080", EACCES, "Permission denied"),
    ])
    func aConflictIsASentenceThatNamesTheAddress(text: String, errno: CInt, reason: String) throws {
        let address = try #require(ListenAddress(text))
        let error = Server.BindError(at: address, IOError(errnoCode: errno, reason: "bind(descriptor:ptr:bytes:)"))
        #expect(error.description == "cannot listen on \(text): \(reason)")
    }
}
