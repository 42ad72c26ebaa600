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

    /// RFC 9110, section 10.1.4.
    @Test(arguments: [
        ["trailers"], ["Trailers"], ["deflate;q=0.5, trailers"], ["trailers, deflate"], ["gzip", "\ttrailers "],
        ["trailers;q=0.1"], ["trailers;q=1"], ["x;a=\"b\\\", c\", trailers"],
    ]) func trailersAreWantedWhereTESaysSo(values: [String]) {
        #expect(request(headers: HTTPHeaders(values.map { ("TE", $0) })).acceptsTrailers)
    }

    @Test(arguments: [
        "", "deflate", "trailersx", "xtrailers", "trailers;q=0", "trailers ; Q=0.000", "trailers;q = 0",
        "x;a=\"b, trailers, c\"", "x;a=\"\\\", trailers\"", "x;trailers", ",", ";",
    ]) func otherwiseTrailersAreNotWanted(value: String) {
        #expect(!request(headers: ["TE": value]).acceptsTrailers)
        #expect(!request().acceptsTrailers)
    }

    /// RFC 9112, section 7.1: only chunks have trailers, and HTTP/1.0 has no chunks.
    @Test func anHTTP10ClientGetsNoTrailers() {
        #expect(!request(version: .http1_0, headers: ["TE": "trailers"]).acceptsTrailers)
    }

    @Test func withoutItsHeadersARequestKeepsItsLine() {
        let bare = request("/a", method: .DELETE, headers: ["TE": "trailers", "Content-Length": "1"]).withHeaders([:])
        #expect(bare.head == HTTPRequestHead(version: .http1_1, method: .DELETE, uri: "/a"))
        #expect(bare.peer == "192.0.2.1")
        #expect(bare.acceptsTrailers && bare.hasBody)
    }
}
