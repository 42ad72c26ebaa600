import Downstream
import Flow
import HTTPText
import Logging
import NIOHTTP1
import Settings
import Testing
import Upstream

@testable import Proxy

extension HTTPHeaders {
    /// The fields as they are on the wire.
    init(_ list: borrowing HeaderList) {
        self.init(
            list.lines.map { line in
                let name = line.prefix { $0 != ":" }
                return (String(name), String(line.dropFirst(name.count + 2)))
            })
    }
}

@Suite struct RequestHeadersTests {
    private func route(
        path: String = "/", _ change: (inout Route) -> Void = { _ in }
    ) -> ProxyRoute {
        var route = Route(match: .init(path: path), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        change(&route)
        return ProxyRoute(route)
    }

    private func asked(
        _ route: ProxyRoute, uri: String = "/", headers: HTTPHeaders = ["Host": "example.com"],
        trace: TraceContext? = nil, pace: Pace = .unlimited, method: HTTPMethod = .GET
    ) throws -> StreamRequest {
        var request = try Request(
            head: HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers),
            peer: PeerAddress("192.0.2.1"))
        request.trace = trace
        return StreamRequest(
            request: request, client: "192.0.2.1", key: ClientKey("192.0.2.1"), route: route,
            served: ServedConfiguration(Configuration(routes: []), log: Logger(label: "test")),
            terms: Terms(
                pace: pace, burst: 1, buffer: 1, maximumBytes: .kibibytes(1), maximumRecordBytes: .kibibytes(1)),
            preferences: Preferences(prefer: []), maxForwards: try MaxForwards(of: request))
    }

    /// The header as the upstream gets it.
    private func sent(
        _ route: ProxyRoute, headers: HTTPHeaders = ["Host": "example.com"], trace: TraceContext? = nil,
        pace: Pace = .unlimited, method: HTTPMethod = .GET, trusted: [AddressBlock] = []
    ) throws -> HTTPHeaders {
        var list = HeaderList()
        route.writeHeader(
            to: &list, of: try asked(route, headers: headers, trace: trace, pace: pace, method: method),
            at: route.upstreams[0].address,
            forwarding: Forwarding(clients: ClientAddress(trusted: trusted), pseudonym: "weir"))
        return HTTPHeaders(list)
    }

    // MARK: The client's fields

    @Test func whatIsOfTheConnectionEndsHere() throws {
        let headers = HTTPHeaders([
            ("Host", "a"), ("Connection", "close, X-One"), ("x-one", "1"), ("TE", "gzip"), ("Upgrade", "h2c"),
            ("Expect", "100-continue"), ("Keep-Alive", "5"), ("Content-Length", "5"), ("Trailer", "x"), ("X_Two", "1"),
            ("Content_Length", "7"),
        ])
        let own = ["host", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"]
        #expect(try sent(route(), headers: headers).map { $0.name.lowercased() } == own)
    }

    // MARK: The body

    @Test func theLengthIsLeftToLibcurlUnlessThereIsNoBody() throws {
        let route = route()
        for method in [HTTPMethod.POST, .PUT, .PATCH, .init(rawValue: "QUERY")] {
            #expect(try sent(route, method: method)["content-length"] == ["0"])
        }
        #expect(try sent(route, method: .DELETE)["content-length"].isEmpty)
        #expect(try sent(route, headers: ["Content-Length": "000"])["content-length"] == ["0"])
        for field in [("Content-Length", "5"), ("Transfer-Encoding", "chunked")] {
            let header = try sent(route, headers: HTTPHeaders([("Host", "a"), field]), method: .POST)
            #expect(!header.contains(name: "content-length") && !header.contains(name: "transfer-encoding"))
        }
        let upstream = route.upstreamRequest(for: try asked(route, headers: ["Content-Length": "035"]), body: nil)
        #expect(upstream.body == nil, "a request whose body is not passed on")
    }

    @Test func trailersAreAnnouncedAsFarAsTheyPass() throws {
        let headers = HTTPHeaders([
            ("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum, Content-Length,, x y"),
            ("trailer", " x-b ,X_C,X-Real-IP,TE"),
        ])
        #expect(try sent(route(), headers: headers)["trailer"] == ["X-Sum, x-b"])
        #expect(try sent(route(), headers: ["Transfer-Encoding": "chunked", "Trailer": "TE"])["trailer"].isEmpty)
    }

    // MARK: Claims

    @Test(arguments: [
        "X-Forwarded-Port", "x-forwarded-x", "X-Forwarded", "X-Real-IP", "True-Client-IP", "Client-Cert",
        "X-Original-URL",
    ]) func claimsPassFromTrustedPeersAlone(name: String) throws {
        let trusted = [try #require(AddressBlock("192.0.2.0/24"))]
        #expect(try sent(route(), headers: [name: "1"])[name].isEmpty)
        #expect(try sent(route(), headers: [name: "1"], trusted: trusted)[name] == ["1"])
    }

    @Test func otherNamesAreNoClaims() throws {
        for name in ["X-Forward", "X-Real", "Forwarded-Fo", "X-Forwardedx"] {
            #expect(try sent(route(), headers: [name: "1"])[name] == ["1"])
        }
    }

    // MARK: Max-Forwards (RFC 9110, section 7.6.2)

    @Test func maxForwardsIsCountedDownForTwoMethods() throws {
        let headers: HTTPHeaders = ["max-forwards": "5"]
        #expect(try sent(route(), headers: headers, method: .OPTIONS)["max-forwards"] == ["4"])
        #expect(try sent(route(), headers: headers, method: .TRACE)["max-forwards"] == ["4"])
        #expect(try sent(route(), headers: headers)["max-forwards"] == ["5"])
    }

    @Test func connectionCannotNameTheHost() throws {
        #expect(try sent(route(), headers: ["Connection": "host", "Host": "a"])["host"] == ["a"])
    }

    @Test func everythingElseKeepsItsOrderCaseAndRepetitions() throws {
        let fields = [
            ("Cookie", "a"), ("x-B", "1"), ("cookie", "b"), ("X-b", ""), ("Accept-Encoding", "br"), ("via", "1.0 a"),
        ]
        let kept = try sent(route(), headers: HTTPHeaders(fields + [("Host", "a")])).map { "\($0.name): \($0.value)" }
        #expect(kept.prefix(fields.count + 1) == ["Host: a"] + fields.map { "\($0): \($1)" }[...])
    }

    @Test func theForwardingFieldsAreWrittenOnce() throws {
        let headers: HTTPHeaders = [
            "Host": "a", "x-forwarded-for": "10.0.0.1", "X-FORWARDED-HOST": "b", "X-Forwarded-Proto": "https",
            "forwarded": "for=10.0.0.1", "Via": "1.0 a",
        ]
        let header = try sent(route(), headers: headers)
        #expect(header["x-forwarded-for"] == ["192.0.2.1"] && header["x-forwarded-host"] == ["a"])
        #expect(header["x-forwarded-proto"] == ["http"] && header["via"] == ["1.0 a", "1.1 weir"])
        #expect(header["forwarded"] == ["for=192.0.2.1;host=\"a\";proto=http"])
    }

    @Test func trailersAreAskedForWhereTheClientWantsThem() throws {
        let headers = try sent(route(), headers: ["Host": "a", "TE": "trailers, gzip", "Connection": "TE"])
        #expect(headers["te"] == ["trailers"] && headers["connection"] == ["TE"])
    }

    // MARK: Traces (W3C Trace Context)

    private func trace(joining parents: [String]) -> TraceContext {
        var generator = SystemRandomNumberGenerator()
        return TraceContext(joining: parents, using: &generator)
    }

    @Test func aTraceContinuesWithWeirsSpanAndOneState() throws {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let trace = trace(joining: [parent])
        let headers: HTTPHeaders = ["Traceparent": parent, "tracestate": "a=1, ", "TraceState": "b=2"]
        let header = try sent(route(), headers: headers, trace: trace)
        #expect(header["traceparent"] == [trace.traceparent])
        #expect(header["tracestate"] == ["a=1,b=2"])
        #expect(try sent(route(), headers: headers)["tracestate"].count == 2)
    }

    @Test func aNewTraceHasNoState() throws {
        let trace = trace(joining: [])
        let header = try sent(route(), headers: ["tracestate": "a=1", "traceparent": "x"], trace: trace)
        #expect(header["traceparent"] == [trace.traceparent] && header["tracestate"].isEmpty)
    }

    @Test func theClientsHostIsPreserved() throws {
        #expect(try sent(route())["host"] == ["example.com"])
        #expect(try sent(route(), headers: [:])["host"] == ["origin:9000"])
    }

    @Test func theHostMayBeTheUpstreamsOwn() throws {
        let route = route { $0.host = .upstream }
        #expect(try sent(route)["host"] == ["origin:9000"])
    }

    @Test func theHostMayBeFixed() throws {
        let route = route { $0.host = .literal("fixed.example") }
        #expect(try sent(route)["host"] == ["fixed.example"])
    }

    private func sentTarget(of route: ProxyRoute, uri: String) throws -> String {
        route.upstreamRequest(for: try asked(route, uri: uri), body: nil).target
    }

    @Test(arguments: [
        ("/api", "/api/a/b?c=d", "/a/b?c=d"), ("/api", "/api", "/"), ("/api", "/api/", "/"),
        ("/api", "/api?a=b", "/?a=b"),
        ("/api/", "/api/a", "/a"), ("/", "/a/b", "/a/b"), ("/api", "/api//a", "//a"), ("/api", "/api/../b", "/../b"),
        ("/api", "/other", "/other"),
    ]) func thePrefixIsTakenOffWhereTheRouteSaysSo(path: String, uri: String, target: String) throws {
        #expect(try sentTarget(of: route(path: path) { $0.stripPrefix = true }, uri: uri) == target)
        #expect(try sentTarget(of: route(path: path), uri: uri) == uri)
    }

    @Test func theStreamHeadersAreForwardedUnlessTheRouteSaysNo() throws {
        let headers: HTTPHeaders = ["Host": "a", "X-Stream-Rate-Limit": "5/second", "x-stream-buffer-size": "5"]
        let names = ["X-Stream-Rate-Limit", "X-Stream-Buffer-Size"]
        let header = try sent(route(), headers: headers)
        #expect(names.flatMap { header[$0] } == ["5/second", "5"])
        let silent = try sent(route { $0.forwardStreamHeaders = false }, headers: headers)
        #expect(names.allSatisfy { !silent.contains(name: $0) })
        #expect(silent["host"] == ["a"])
    }

    /// Records cannot be separated in a compressed body.
    @Test(arguments: [(Framing.ndjson, "identity"), (.sse, "identity"), (.jsonSequence, "identity"), (.none, "gzip")])
    func compressionIsNotAskedForWhereThereAreRecords(framing: Framing, coding: String) throws {
        let route = route { $0.framing = framing }
        let headers: HTTPHeaders = [
            "Host": "a", "Accept": "text/event-stream", "Accept-Encoding": "gzip", "accept-encoding": "br",
        ]
        let asked = try sent(route, headers: headers, pace: Pace("1/s") ?? .unlimited)["accept-encoding"]
        #expect(asked == (coding == "gzip" ? ["gzip", "br"] : [coding]))
    }

    /// If the response's type decides, it is not known yet whether there will be any.
    @Test(arguments: [
        ("Accept", "*/*", false), ("Accept", "application/json, text/html", false),
        ("Accept", "text/event-stream", true),
        ("Accept", "text/html, application/x-ndjson; q=0.5", true), ("X-Stream-Buffer-Size", "5", true),
    ]) func theRequestShowsWhetherRecordsAreExpected(name: String, value: String, expectsRecords: Bool) throws {
        let headers: HTTPHeaders = ["Host": "a", "Accept-Encoding": "gzip", name: value]
        let asked = try sent(route(), headers: headers)["accept-encoding"]
        #expect(asked == [expectsRecords ? "identity" : "gzip"])
    }

    @Test func aPaceIsAReasonToExpectRecords() throws {
        let pace = try #require(Pace("10/second"))
        let asked = try sent(route(), headers: ["Host": "a"], pace: pace)["accept-encoding"]
        #expect(asked == ["identity"])
    }
}
