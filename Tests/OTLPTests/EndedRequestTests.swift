import Flow
import OTLP
import Observability
import Testing

@Suite struct EndedRequestTests {
    private let trace = RequestTrace(.test(), from: .test)
    private let request = TracedRequest(
        isSecure: true, authority: "shop.example:8443", peer: "10.0.0.2", upstreamPath: "/orders")
    private let facts = StreamFacts(
        client: "10.0.0.1", route: "/v1", method: "GET", path: "/v1/orders", httpVersion: "HTTP/2.0")

    private func at(_ milliseconds: Int64) -> Instant { .test + .milliseconds(milliseconds) }

    private func spans(
        _ facts: StreamFacts? = nil, _ totals: StreamTotals = StreamTotals(status: 200),
        _ end: StreamEnd = StreamEnd(.completed), pauses: [PauseLog.Pause] = []
    ) -> [Span] {
        EndedRequest(trace, request, facts ?? self.facts, totals, end, pauses: pauses, at: at(1000)).spans
    }

    private func value(_ name: String, of span: Span) -> Attribute.Value? {
        span.attributes.first { $0.name == name }?.value
    }

    @Test func theRequestIsTheServersSpan() throws {
        let span = try #require(spans().first)
        #expect((span.kind, span.name, span.hasRemoteParent) == (.server, "GET /v1", true))
        #expect((span.began, span.ended, span.error) == (.test, at(1000), nil))
        #expect(
            span.attributes.prefix(9) == [
                Attribute("http.request.method", "GET"), Attribute("url.scheme", "https"),
                Attribute("url.path", "/v1/orders"), Attribute("network.protocol.version", "2.0"),
                Attribute("server.address", "shop.example"), Attribute("server.port", 8443),
                Attribute("client.address", "10.0.0.1"), Attribute("network.peer.address", "10.0.0.2"),
                Attribute("http.route", "/v1"),
            ])
        #expect(value("http.response.status_code", of: span) == .number(200))
        #expect(span.events == [.init("end", at: at(1000), [Attribute("weir.reason", "completed")])])
    }

    @Test func aLongPathIsCut() throws {
        let long = "/" + String(repeating: "x", count: 20_000)
        _ = trace.attemptBegan(at: "http://one", at(1))
        let request = TracedRequest(isSecure: false, authority: nil, peer: "", upstreamPath: long)
        let spans = EndedRequest(
            trace, request, StreamFacts(client: "", method: "GET", path: long), StreamTotals(), StreamEnd(.completed),
            at: at(2)
        ).spans
        #expect(value("url.path", of: spans[0]) == .text(String(long.prefix(2048))))
        #expect(value("url.full", of: spans[1]) == .text("http://one" + long.prefix(2048)))
    }

    @Test func theTierIsAnAttributeOfTheServersSpan() throws {
        _ = trace.attemptBegan(at: "http://one", at(1))
        var facts = facts
        facts.tier = "gold"
        let tiers = spans(facts).map { value("weir.tier", of: $0) }
        #expect(tiers == [.text("gold"), nil])
        let withoutTier = try #require(spans().first)
        #expect(value("weir.tier", of: withoutTier) == nil)
    }

    @Test func eachAttemptIsAClientsSpanWithAnIdOfItsOwn() throws {
        let first = trace.attemptBegan(at: "http://one:81", at(1))
        trace.attemptEnded(UpstreamFailure(.reset, "it was reset"), at: at(2))
        let second = trace.attemptBegan(at: "https://two", at(3))
        trace.headArrived(status: 200)
        let spans = spans()
        try #require(spans.count == 3)
        #expect(spans.dropFirst().map(\.context) == [first, second])
        #expect(Set(spans.map(\.context.spanId)).count == 3)
        #expect(spans.dropFirst().allSatisfy { $0.context.parentSpanId == spans[0].context.spanId })
        #expect(spans.allSatisfy { $0.context.traceId == spans[0].context.traceId })
        let (one, two) = (spans[1], spans[2])
        #expect((one.kind, one.name, one.began, one.ended) == (.client, "GET", at(1), at(2)))
        #expect((one.error, value("error.type", of: one)) == ("it was reset", .text("reset")))
        #expect(value("url.full", of: one) == .text("http://one:81/orders"))
        #expect(value("server.port", of: one) == .number(81))
        #expect(value("http.request.resend_count", of: one) == nil)
        #expect((two.ended, two.error) == (at(1000), nil))
        #expect(value("server.port", of: two) == .number(443))
        #expect(value("http.request.resend_count", of: two) == .number(1))
        #expect(value("http.response.status_code", of: two) == .number(200))
    }

    @Test func anUpstreamsErrorIsAnErrorOfItsSpanAlone() throws {
        _ = trace.attemptBegan(at: "http://one", at(1))
        trace.headArrived(status: 404)
        trace.attemptEnded(at: at(2))
        let spans = spans(nil, StreamTotals(status: 404))
        #expect(spans.map(\.error) == [nil, ""])
        #expect(value("error.type", of: spans[1]) == .text("404"))
        #expect(value("error.type", of: spans[0]) == nil)
    }

    @Test func aFailureIsAnErrorOfTheRequestAndWhatTheClientDidIsNot() {
        let failed = StreamEnd(.upstreamFailed, upstreamFailure: UpstreamFailure(.truncated, "half a record"))
        #expect(spans(nil, StreamTotals(status: 200), failed)[0].error == "half a record")
        #expect(value("error.type", of: spans(nil, StreamTotals(status: 200), failed)[0]) == .text("truncated"))
        #expect(spans(nil, StreamTotals(status: 503), StreamEnd(.refused, problem: .unavailable))[0].error == "")
        for outcome in [Outcome.clientGone, .slowConsumer, .cancelled, .drained] {
            #expect(spans(nil, StreamTotals(status: 200), StreamEnd(outcome))[0].error == nil)
        }
        #expect(spans(nil, StreamTotals(status: 429), StreamEnd(.refused, problem: .rateLimit))[0].error == nil)
    }

    @Test func eventsAreInTheirOrderWithPausesAmongThem() {
        trace.headSent(status: 200, at: at(10))
        trace.firstRecordSent(at: at(20))
        trace.recordsDropped(0, at: at(25))
        trace.recordsDropped(3, at: at(40))
        trace.recordsDropped(3, at: at(45))
        trace.recordsDropped(7, at: at(50))
        let events = spans(pauses: [.init(cause: .client, began: at(30), lasted: .milliseconds(5))])[0].events
        #expect(events.map(\.name) == ["head", "first_record", "pause", "drop", "drop", "end"])
        #expect(
            events[2].attributes == [
                Attribute("weir.cause", "client"), Attribute("weir.duration", seconds: .milliseconds(5)),
            ])
        #expect(events[3].attributes == [Attribute("weir.records", 3)])
        #expect(events[4].attributes == [Attribute("weir.records", 4)])
    }

    @Test func whatIsRecordedIsBounded() throws {
        for count in 1...500 { trace.recordsDropped(count, at: at(Int64(count))) }
        for _ in 1...100 { _ = trace.attemptBegan(at: "http://one", at(1)) }
        let spans = spans()
        #expect(spans[0].events.count == RequestTrace.mostEvents + 1)
        #expect(spans[0].droppedEvents == 500 - RequestTrace.mostEvents)
        #expect(spans.count == 1 + RequestTrace.mostAttempts)
    }

    @Test func aMethodThatAClientInventedIsNoPartOfAName() {
        var facts = facts
        facts.method = "FOO"
        facts.route = nil
        let span = spans(facts)[0]
        #expect(span.name == "HTTP")
        #expect(value("http.request.method", of: span) == .text("_OTHER"))
        #expect(value("http.request.method_original", of: span) == .text("FOO"))
    }
}
