import Downstream
import Flow
import NIOHTTP1
import Settings
import Testing
import Upstream

@testable import Proxy

extension HTTPHeaders {
    /// The fields as they stand on the wire.
    init(_ list: borrowing HeaderList) {
        self.init(
            list.lines.map { line in
                // "Name;" is sent as a field without a value.
                let name = line.prefix { $0 != ":" && $0 != ";" }
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
        trace: TraceContext? = nil, pace: Pace = .unlimited
    ) -> StreamRequest {
        var request = Request(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: headers), peer: "192.0.2.1")
        request.trace = trace
        return StreamRequest(
            request: request, client: "192.0.2.1", key: ClientKey("192.0.2.1"), route: route, generation: 1,
            terms: Terms(
                pace: pace, burst: 1, buffer: 1, maximumBytes: .kibibytes(1), maximumRecordBytes: .kibibytes(1)),
            preferences: Preferences(prefer: []))
    }

    /// The header as the upstream gets it.
    private func sent(
        _ route: ProxyRoute, headers: HTTPHeaders = ["Host": "example.com"], trace: TraceContext? = nil,
        pace: Pace = .unlimited
    ) -> HTTPHeaders {
        var list = HeaderList()
        route.writeHeader(
            to: &list, of: asked(route, headers: headers, trace: trace, pace: pace), at: route.upstreams[0].address,
            forwarding: Forwarding(clients: ClientAddress(trusted: []), pseudonym: "weir"))
        return HTTPHeaders(list)
    }

    // MARK: The client's fields

    @Test func whatIsOfTheConnectionEndsHere() {
        let headers = HTTPHeaders([
            ("Host", "a"), ("Connection", "close, X-One"), ("x-one", "1"), ("TE", "gzip"), ("Upgrade", "h2c"),
            ("Expect", "100-continue"), ("Keep-Alive", "5"), ("Transfer-Encoding", "chunked"), ("Trailer", "x"),
        ])
        let own = ["host", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"]
        #expect(sent(route(), headers: headers).map { $0.name.lowercased() } == own)
    }

    @Test func connectionCannotNameTheHost() {
        #expect(sent(route(), headers: ["Connection": "host", "Host": "a"])["host"] == ["a"])
    }

    @Test func everythingElseKeepsItsOrderCaseAndRepetitions() {
        let fields = [
            ("Cookie", "a"), ("x-B", "1"), ("cookie", "b"), ("X-b", ""), ("Accept-Encoding", "br"), ("via", "1.0 a"),
        ]
        let kept = sent(route(), headers: HTTPHeaders([("Host", "a")] + fields)).map { "\($0.name): \($0.value)" }
        #expect(kept.prefix(fields.count) == fields.map { "\($0): \($1)" }[...])
    }

    @Test func theWayIsToldOnce() {
        let headers: HTTPHeaders = [
            "Host": "a", "x-forwarded-for": "10.0.0.1", "X-FORWARDED-HOST": "b", "X-Forwarded-Proto": "https",
            "forwarded": "for=10.0.0.1", "Via": "1.0 a",
        ]
        let told = sent(route(), headers: headers)
        #expect(told["x-forwarded-for"] == ["192.0.2.1"] && told["x-forwarded-host"] == ["a"])
        #expect(told["x-forwarded-proto"] == ["http"] && told["via"] == ["1.0 a", "1.1 weir"])
        #expect(told["forwarded"] == ["for=192.0.2.1;host=\"a\";proto=http"])
    }

    @Test func trailersAreAskedForWhereTheClientWantsThem() {
        let headers = sent(route(), headers: ["Host": "a", "TE": "trailers, gzip", "Connection": "TE"])
        #expect(headers["te"] == ["trailers"] && headers["connection"] == ["TE"])
    }

    // MARK: Traces (W3C Trace Context)

    private func trace(joining parents: [String]) -> TraceContext {
        var generator = SystemRandomNumberGenerator()
        return TraceContext(joining: parents, using: &generator)
    }

    @Test func aTraceGoesOnWithWeirsSpanAndOneState() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let trace = trace(joining: [parent])
        let headers: HTTPHeaders = ["Traceparent": parent, "tracestate": "a=1, ", "TraceState": "b=2"]
        let header = sent(route(), headers: headers, trace: trace)
        #expect(header["traceparent"] == [trace.traceparent])
        #expect(header["tracestate"] == ["a=1,b=2"])
        #expect(sent(route(), headers: headers)["tracestate"].count == 2)
    }

    @Test func aNewTraceHasNoState() {
        let trace = trace(joining: [])
        let header = sent(route(), headers: ["tracestate": "a=1", "traceparent": "x"], trace: trace)
        #expect(header["traceparent"] == [trace.traceparent] && header["tracestate"].isEmpty)
    }

    @Test func theClientsHostIsPreserved() {
        #expect(sent(route())["host"] == ["example.com"])
        #expect(sent(route(), headers: [:])["host"] == ["origin:9000"])
    }

    @Test func theHostMayBeTheUpstreamsOwn() {
        let route = route { $0.host = .upstream }
        #expect(sent(route)["host"] == ["origin:9000"])
    }

    @Test func theHostMayBeFixed() {
        let route = route { $0.host = .literal("fixed.example") }
        #expect(sent(route)["host"] == ["fixed.example"])
    }

    private func sentTarget(of route: ProxyRoute, uri: String) -> String {
        route.upstreamRequest(for: asked(route, uri: uri)).target
    }

    @Test(arguments: [
        ("/api", "/api/a/b?c=d", "/a/b?c=d"), ("/api", "/api", "/"), ("/api", "/api/", "/"),
        ("/api", "/api?a=b", "/?a=b"),
        ("/api/", "/api/a", "/a"), ("/", "/a/b", "/a/b"), ("/api", "/api//a", "//a"), ("/api", "/api/../b", "/../b"),
        ("/api", "/other", "/other"),
    ]) func thePrefixIsTakenOffWhereTheRouteSaysSo(path: String, uri: String, target: String) {
        #expect(sentTarget(of: route(path: path) { $0.stripPrefix = true }, uri: uri) == target)
        #expect(sentTarget(of: route(path: path), uri: uri) == uri)
    }

    @Test func theStreamHeadersAreForwardedUnlessTheRouteSaysNo() {
        let headers: HTTPHeaders = ["Host": "a", "X-Stream-Rate-Limit": "5/second", "x-stream-buffer-size": "5"]
        let names = ["X-Stream-Rate-Limit", "X-Stream-Buffer-Size"]
        let told = sent(route(), headers: headers)
        #expect(names.flatMap { told[$0] } == ["5/second", "5"])
        let silent = sent(route { $0.forwardStreamHeaders = false }, headers: headers)
        #expect(names.allSatisfy { !silent.contains(name: $0) })
        #expect(silent["host"] == ["a"])
    }

    /// Records cannot be told apart in a compressed body.
    @Test(arguments: [(Framing.ndjson, "identity"), (.sse, "identity"), (.jsonSequence, "identity"), (.none, "gzip")])
    func compressionIsNotAskedForWhereThereAreRecords(framing: Framing, coding: String) {
        let route = route { $0.framing = framing }
        let headers: HTTPHeaders = [
            "Host": "a", "Accept": "text/event-stream", "Accept-Encoding": "gzip", "accept-encoding": "br",
        ]
        let asked = sent(route, headers: headers, pace: Pace("1/s") ?? .unlimited)["accept-encoding"]
        #expect(asked == (coding == "gzip" ? ["gzip", "br"] : [coding]))
    }

    /// Where the answer's type decides, it is not known yet whether there will be any.
    @Test(arguments: [
        ("Accept", "*/*", false), ("Accept", "application/json, text/html", false),
        ("Accept", "text/event-stream", true),
        ("Accept", "text/html, application/x-ndjson; q=0.5", true), ("X-Stream-Buffer-Size", "5", true),
    ]) func whereTheTypeDecidesTheRequestTells(name: String, value: String, expectsRecords: Bool) {
        let headers: HTTPHeaders = ["Host": "a", "Accept-Encoding": "gzip", name: value]
        let asked = sent(route(), headers: headers)["accept-encoding"]
        #expect(asked == [expectsRecords ? "identity" : "gzip"])
    }

    @Test func aPaceIsAReasonToExpectRecords() throws {
        let pace = try #require(Pace("10/second"))
        let asked = sent(route(), headers: ["Host": "a"], pace: pace)["accept-encoding"]
        #expect(asked == ["identity"])
    }
}
