import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct RequestTests {
    private func request(
        _ uri: String = "/", method: HTTPMethod = .GET, version: HTTPVersion = .http1_1, headers: HTTPHeaders = [:]
    ) -> Request {
        Request(head: HTTPRequestHead(version: version, method: method, uri: uri, headers: headers), peer: "192.0.2.1")
    }

    @Test(arguments: [("/a/b?c=d", "/a/b"), ("/", "/"), ("/a?", "/a"), ("/a?b?c", "/a"), ("*", "*")])
    func thePathEndsAtTheQuery(uri: String, path: String) { #expect(request(uri).path == path) }

    /// RFC 9112, section 6.3: a request has a body where one of two fields says so.
    @Test func knowsWhetherABodyFollows() {
        #expect(!request().hasBody)
        #expect(!request(headers: ["Content-Length": "0"]).hasBody)
        #expect(request(headers: ["Content-Length": "1"]).hasBody)
        #expect(request(headers: ["Transfer-Encoding": "chunked"]).hasBody)
        #expect(request(headers: ["transfer-encoding": "chunked", "content-length": "0"]).hasBody)
    }

    /// RFC 9112, section 3.2.2: the authority of an absolute target goes before `Host`.
    @Test(arguments: [
        ("http://example.com:81/a?b", "/a?b", "example.com:81"), ("HTTP://example.com", "/", "example.com"),
        ("http://example.com?b", "/?b", "example.com"), ("http://[::1]:8080/a", "/a", "[::1]:8080"),
    ]) func anAbsoluteTargetIsTakenApart(uri: String, target: String, host: String) {
        let request = request(uri, headers: ["Host": "other"])
        #expect(request.head.uri == target)
        #expect(request.head.headers["host"] == [host])
        #expect(request.hasProperTarget)
    }

    @Test(arguments: ["http://", "http:///a", "https://example.com/", "ftp://a/", "example.com:443", "a/b", "", "*"])
    func otherTargetsAreNeitherTakenApartNorProper(uri: String) {
        let request = request(uri, headers: ["Host": "a"])
        #expect(request.head.uri == uri)
        #expect(!request.hasProperTarget)
    }

    @Test func theAsteriskIsATargetOfOPTIONSOnly() {
        #expect(request("*", method: .OPTIONS).hasProperTarget)
        #expect(!request("*").hasProperTarget)
    }

    /// RFC 9112, section 3.2: exactly one; an HTTP/1.0 client may send none.
    @Test func hostIsSentOnce() {
        #expect(request(headers: ["Host": "a"]).hasProperHost)
        #expect(!request().hasProperHost)
        #expect(!request(headers: ["Host": "a", "host": "a"]).hasProperHost)
        #expect(!request(headers: ["Host": "a, b"]).hasProperHost)
        #expect(request(version: .http1_0).hasProperHost)
        #expect(!request(version: .http1_0, headers: ["Host": "a", "Host": "b"]).hasProperHost)
    }

    @Test func whoAsksForAnotherProtocolIsKnown() {
        #expect(request(headers: ["Upgrade": "websocket"]).asksForUpgrade)
        #expect(request("a:443", method: .CONNECT).asksForUpgrade)
        #expect(!request().asksForUpgrade)
    }

    @Test func withoutItsHeadersARequestKeepsItsLine() {
        let bare = request("/a", method: .DELETE, version: .http1_0, headers: ["X": "y"]).withoutHeaders()
        #expect(bare.head == HTTPRequestHead(version: .http1_0, method: .DELETE, uri: "/a"))
        #expect(bare.peer == "192.0.2.1")
    }
}
