import Downstream
import Flow
import NIOHTTP1
import Settings
import Testing
import Upstream

@testable import Proxy

@Suite struct HeadersTests {
    // MARK: Hop by hop (RFC 9110, section 7.6.1)

    @Test func fieldsOfTheConnectionAreNotPassedOn() {
        let headers: HTTPHeaders = [
            "Connection": "keep-alive", "Keep-Alive": "timeout=5", "Proxy-Connection": "close", "TE": "trailers",
            "Transfer-Encoding": "chunked", "Trailer": "X-A", "Upgrade": "h2c", "Expect": "100-continue",
            "Proxy-Authorization": "Basic x", "X-Kept": "a", "Content-Length": "5",
        ]
        #expect(headers.withoutHopByHop() == ["X-Kept": "a", "Content-Length": "5"])
    }

    @Test func fieldsThatConnectionNamesAreNotPassedOn() {
        let headers: HTTPHeaders = [
            "Connection": "close, X-One", "X-ONE": "a", "connection": "x-two ,x-three", "x-two": "b", "X-Three": "c",
            "X-Four": "d",
        ]
        #expect(headers.withoutHopByHop() == ["X-Four": "d"])
    }

    /// Without its length, what a client gets would never end; without its host, it would go elsewhere.
    @Test(arguments: ["Content-Length", "Host"]) func connectionCannotNameWhatTheMessageNeeds(name: String) {
        let headers = HTTPHeaders([("Connection", "close, \(name.lowercased())"), (name, "5")])
        #expect(headers.withoutHopByHop()[name] == ["5"])
    }

    @Test func everythingElseKeepsItsOrderCaseAndRepetitions() {
        let headers = HTTPHeaders([("Set-Cookie", "a"), ("x-B", "1"), ("TE", "x"), ("set-cookie", "b"), ("X-b", "2")])
        let kept = headers.withoutHopByHop().map { "\($0.name): \($0.value)" }
        #expect(kept == ["Set-Cookie: a", "x-B: 1", "set-cookie: b", "X-b: 2"])
    }

    // MARK: The request that the upstream gets

    private func route(
        path: String = "/", _ change: (inout Route) -> Void = { _ in }
    ) -> ProxyRoute {
        var route = Route(match: .init(path: path), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        change(&route)
        return ProxyRoute(route)
    }

    private func upstreamRequest(
        _ route: ProxyRoute, uri: String = "/", headers: HTTPHeaders = ["Host": "example.com"],
        trace: TraceContext? = nil, pace: Pace = .unlimited
    ) -> UpstreamRequest {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: headers)
        var request = Request(head: head, peer: "192.0.2.1")
        request.trace = trace
        return route.upstreamRequest(
            for: request, client: "192.0.2.1", to: route.upstreams[0].address, pace: pace,
            forwarding: Forwarding(clients: ClientAddress(trusted: []), pseudonym: "weir"))
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
        let sent = upstreamRequest(route(), headers: headers, trace: trace).headers
        #expect(sent["traceparent"] == [trace.traceparent])
        #expect(sent["tracestate"] == ["a=1,b=2"])
        #expect(upstreamRequest(route(), headers: headers).headers["tracestate"].count == 2)
    }

    @Test func aNewTraceHasNoState() {
        let trace = trace(joining: [])
        let sent = upstreamRequest(route(), headers: ["tracestate": "a=1", "traceparent": "x"], trace: trace).headers
        #expect(sent["traceparent"] == [trace.traceparent] && sent["tracestate"].isEmpty)
    }

    @Test func theClientsHostIsPreserved() {
        #expect(upstreamRequest(route()).headers["host"] == ["example.com"])
        #expect(upstreamRequest(route(), headers: [:]).headers["host"] == ["origin:9000"])
    }

    @Test func theHostMayBeTheUpstreamsOwn() {
        let route = route { $0.host = .upstream }
        #expect(upstreamRequest(route).headers["host"] == ["origin:9000"])
    }

    @Test func theHostMayBeFixed() {
        let route = route { $0.host = .literal("fixed.example") }
        #expect(upstreamRequest(route).headers["host"] == ["fixed.example"])
    }

    @Test(arguments: [
        ("/api", "/api/a/b?c=d", "/a/b?c=d"), ("/api", "/api", "/"), ("/api", "/api/", "/"),
        ("/api", "/api?a=b", "/?a=b"),
        ("/api/", "/api/a", "/a"), ("/", "/a/b", "/a/b"), ("/api", "/api//a", "//a"), ("/api", "/api/../b", "/../b"),
        ("/api", "/other", "/other"),
    ]) func thePrefixIsTakenOffWhereTheRouteSaysSo(path: String, uri: String, target: String) {
        #expect(upstreamRequest(route(path: path) { $0.stripPrefix = true }, uri: uri).target == target)
        #expect(upstreamRequest(route(path: path), uri: uri).target == uri)
    }

    @Test func theStreamHeadersAreForwardedUnlessTheRouteSaysNo() {
        let headers: HTTPHeaders = ["Host": "a", "X-Stream-Rate-Limit": "5/second", "x-stream-buffer-size": "5"]
        let names = ["X-Stream-Rate-Limit", "X-Stream-Buffer-Size"]
        let told = upstreamRequest(route(), headers: headers).headers
        #expect(names.flatMap { told[$0] } == ["5/second", "5"])
        let silent = upstreamRequest(route { $0.forwardStreamHeaders = false }, headers: headers).headers
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
        let asked = upstreamRequest(route, headers: headers, pace: Pace("1/s") ?? .unlimited).headers["accept-encoding"]
        #expect(asked == (coding == "gzip" ? ["gzip", "br"] : [coding]))
    }

    /// Where the answer's type decides, it is not known yet whether there will be any.
    @Test(arguments: [
        ("Accept", "*/*", false), ("Accept", "application/json, text/html", false),
        ("Accept", "text/event-stream", true),
        ("Accept", "text/html, application/x-ndjson; q=0.5", true), ("X-Stream-Buffer-Size", "5", true),
    ]) func whereTheTypeDecidesTheRequestTells(name: String, value: String, expectsRecords: Bool) {
        let headers: HTTPHeaders = ["Host": "a", "Accept-Encoding": "gzip", name: value]
        let asked = upstreamRequest(route(), headers: headers).headers["accept-encoding"]
        #expect(asked == [expectsRecords ? "identity" : "gzip"])
    }

    @Test func aPaceIsAReasonToExpectRecords() throws {
        let pace = try #require(Pace("10/second"))
        let asked = upstreamRequest(route(), headers: ["Host": "a"], pace: pace).headers["accept-encoding"]
        #expect(asked == ["identity"])
    }

    // MARK: The head that the client gets

    private func streamFields(
        _ headers: HTTPHeaders = [:], pace: Pace = .unlimited, totalItemsHeader: String? = nil
    ) throws -> HTTPHeaders {
        var headers = headers
        var random = SystemRandomNumberGenerator()
        let id = StreamId(using: &random)
        let terms = Terms(
            pace: pace, burst: 1, buffer: 100, maximumBytes: .mebibytes(1), maximumRecordBytes: .kibibytes(1))
        addStreamFields(
            to: &headers, terms: terms, id: id, starts: nil, quota: nil, totalItemsHeader: totalItemsHeader)
        #expect(headers["x-stream-id"] == [id.text])
        return headers
    }

    @Test func aStreamsHeadTellsItsTerms() throws {
        let pace = try #require(Pace("10/second"))
        let headers = try streamFields(["Content-Type": "application/x-ndjson"], pace: pace)
        #expect(headers["x-stream-rate"] == ["10/second"])
        #expect(headers["x-stream-buffer-size"] == ["100"])
        #expect(headers["x-accel-buffering"] == ["no"])
        #expect(headers["ratelimit-policy"] == ["\"records\";q=10;w=1"])
        #expect(headers["content-type"] == ["application/x-ndjson"])
        #expect(!headers.contains(name: "x-stream-total-items"))
    }

    @Test func withoutALimitThereIsNoQuota() throws {
        let headers = try streamFields()
        #expect(headers["x-stream-rate"] == ["unlimited"])
        #expect(!headers.contains(name: "ratelimit") && !headers.contains(name: "ratelimit-policy"))
    }

    @Test func whatTheUpstreamSaysOfTheTermsIsReplaced() throws {
        let headers = try streamFields(["X-Stream-Rate": "1/hour", "X-Stream-Id": "forged", "x-accel-buffering": "yes"])
        #expect(headers["x-stream-rate"] == ["unlimited"])
        #expect(headers["x-accel-buffering"] == ["no"])
    }

    @Test func theTotalIsTheUpstreamsOwnOrTheFieldThatTheRouteNames() throws {
        let total = "X-Stream-Total-Items"
        #expect(try streamFields(["X-Total-Count": "7"], totalItemsHeader: "x-total-count")[total] == ["7"])
        #expect(
            try streamFields(["X-Total-Count": "7", total: "9"], totalItemsHeader: "X-Total-Count")[total] == ["9"])
        #expect(try streamFields(["X-Total-Count": "7"])[total].isEmpty)
        #expect(try streamFields(["X-Total-Count": ""], totalItemsHeader: "X-Total-Count")[total].isEmpty)
    }
}
