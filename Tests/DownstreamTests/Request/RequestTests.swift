import HTTPText
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct RequestTests {
    private func request(
        _ uri: String = "/", method: HTTPMethod = .GET, version: HTTPVersion = .http1_1, headers: HTTPHeaders = [:]
    ) throws -> Request {
        try Request(
            head: HTTPRequestHead(version: version, method: method, uri: uri, headers: headers),
            peer: PeerAddress("192.0.2.1"))
    }

    @Test(arguments: [("/a/b?c=d", "/a/b"), ("/", "/"), ("/a?", "/a"), ("/a?b?c", "/a"), ("*", "*")])
    func thePathEndsAtTheQuery(uri: String, path: String) throws { #expect(try request(uri).path == path) }

    @Test func aRequestWhoseEndIsNotClearIsNone() {
        #expect(throws: RequestFault.malformed) { try request(headers: ["Content-Length": "+1"]) }
    }

    /// RFC 9110, section 10.1.1.
    @Test(
        arguments: [
            ([], .none), ([""], .none), (["100-Continue"], .goAhead), (["100-continue, 100-continue"], .goAhead),
            (["x"], .unknown), (["100-continue", "x"], .unknown), (["100-continue;a"], .unknown), (["\"a"], .unknown),
        ] as [([String], RequestExpectation)]) func theExpectationIsKnown(
            values: [String], expectation: RequestExpectation
        ) throws
    {
        let headers = HTTPHeaders(values.map { ("Expect", $0) })
        #expect(try request(headers: headers).expectation == expectation)
        #expect(try request(version: .http1_0, headers: headers).expectation == .none)
    }

    /// RFC 9112, section 3.2.2: the authority of an absolute target goes before `Host`.
    @Test(arguments: [
        ("http://example.com:81/a?b", "/a?b", "example.com:81"), ("HTTP://example.com", "/", "example.com"),
        ("http://example.com?b", "/?b", "example.com"), ("http://[::1]:8080/a", "/a", "[::1]:8080"),
        ("https://example.com/", "/", "example.com"), ("hTTps://a", "/", "a"),
    ]) func anAbsoluteTargetIsTakenApart(uri: String, target: String, host: String) throws {
        let request = try request(uri, headers: ["Host": "other"])
        #expect(request.head.uri == target)
        #expect(request.head.headers["host"] == [host])
        #expect(request.authority == host && request.hasProperTarget)
    }

    @Test(arguments: [
        "http://", "http:///a", "ftp://a/", "example.com:443", "a/b", "", "*", "http://u@a/", "http://a b/",
        "http://[::1/",
        "http:/a", "http:a", "/a#b", "http://a#b", "/a b", "/\u{e9}", "/\u{1}",
    ])
    func otherTargetsAreNeitherTakenApartNorProper(uri: String) throws {
        let request = try request(uri, headers: ["Host": "a"])
        #expect(request.head.uri == uri)
        #expect(request.authority == "a" && !request.hasProperTarget)
    }

    @Test func theAsteriskIsATargetOfOPTIONSOnly() throws {
        #expect(try request("*", method: .OPTIONS).hasProperTarget)
        #expect(try !request("*").hasProperTarget)
    }

    /// RFC 9112, section 3.2.4.
    @Test func anAbsoluteTargetWithoutAPathIsTheWholeServerForOPTIONS() throws {
        #expect(try request("http://a", method: .OPTIONS).head.uri == "*")
        #expect(try request("http://a/", method: .OPTIONS).head.uri == "/")
        #expect(try request("http://a?b", method: .OPTIONS).head.uri == "/?b")
    }

    /// RFC 9113, section 8.3.1.
    @Test func overHTTP2APathIsNotAbsolute() throws {
        #expect(try !request("http://a/", version: .http2, headers: ["Host": "a"]).hasProperTarget)
        #expect(try request("//a/", version: .http2, headers: ["Host": "a"]).hasProperTarget)
    }

    /// RFC 9112, section 3.2: exactly one; an HTTP/1.0 client may send none.
    @Test func hostIsSentOnce() throws {
        #expect(try request(headers: ["Host": "a"]).hasProperHost)
        #expect(try !request().hasProperHost)
        #expect(try !request(headers: ["Host": "a", "host": "a"]).hasProperHost)
        #expect(try !request(headers: ["Host": "a, b"]).hasProperHost)
        #expect(try !request(headers: ["Host": ""]).hasProperHost)
        #expect(try !request("http://a/", headers: [:]).hasProperHost)
        #expect(try !request("http://a/", headers: ["Host": "a", "host": "b"]).hasProperHost)
        #expect(try request(version: .http1_0).hasProperHost)
        #expect(try !request(version: .http1_0, headers: ["Host": "a", "Host": "b"]).hasProperHost)
    }

    /// RFC 9110, section 10.1.4.
    @Test(arguments: [
        ["trailers"], ["Trailers"], ["deflate;q=0.5, trailers"], ["trailers, deflate"], ["gzip", "\ttrailers "],
        ["trailers;q=0.1"], ["trailers;q=1"], ["x;a=\"b\\\", c\", trailers"],
    ]) func trailersAreAcceptedIfTEListsThem(values: [String]) throws {
        #expect(try request(headers: HTTPHeaders(values.map { ("TE", $0) })).acceptsTrailers)
    }

    @Test(arguments: [
        "", "deflate", "trailersx", "xtrailers", "trailers;q=0", "trailers ; Q=0.000", "trailers;q = 0",
        "x;a=\"b, trailers, c\"", "x;a=\"\\\", trailers\"", "x;trailers", ",", ";",
    ]) func otherwiseTrailersAreNotWanted(value: String) throws {
        #expect(try !request(headers: ["TE": value]).acceptsTrailers)
        #expect(try !request().acceptsTrailers)
    }

    /// RFC 9112, section 7.1: only chunks have trailers, and HTTP/1.0 has no chunks.
    @Test func anHTTP10ClientGetsNoTrailers() throws {
        #expect(try !request(version: .http1_0, headers: ["TE": "trailers"]).acceptsTrailers)
    }

    @Test func withoutItsHeadersARequestKeepsItsLine() throws {
        let bare = try request("/a", method: .DELETE, headers: ["TE": "trailers", "Content-Length": "1"]).withHeaders(
            [:])
        #expect(bare.head == HTTPRequestHead(version: .http1_1, method: .DELETE, uri: "/a"))
        #expect(bare.peer == "192.0.2.1")
        #expect(bare.acceptsTrailers && bare.hasBody)
    }
}
