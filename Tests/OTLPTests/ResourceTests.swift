import Flow
import OTLP
import Testing

@Suite struct ResourceTests {
    private let resource = Resource(name: "edge \"1\"", instance: "a-1", version: "1.2.3")
    private let clock = WallClock(nanosecondsSince1970: 1_700_000_000_000_000_000, at: .test)

    private func span(_ context: TraceContext, remote: Bool = true) -> Span {
        Span(context, .server, "GET /a", hasRemoteParent: remote, from: .test, to: .test + .milliseconds(5))
    }

    private func json(_ span: Span) throws -> [String: Any] {
        try JSONValue.object(resource.traces([span], by: clock)).at(
            "resourceSpans", "0", "scopeSpans", "0", "spans", "0")
    }

    @Test func theResourceIsTheServiceAndItsInstance() throws {
        let body = try JSONValue.object(resource.traces([span(.test())], by: clock))
        #expect(
            body.at("resourceSpans", "0", "resource").attributes == [
                "service.name": "edge \"1\"", "service.instance.id": "a-1", "service.version": "1.2.3",
            ])
        let scope = body.at("resourceSpans", "0", "scopeSpans", "0", "scope")
        #expect((scope.text("name"), scope.text("version")) == ("weir", "1.2.3"))
    }

    @Test func idsAreHexadecimalTimesAreTextsAndEnumsAreNumbers() throws {
        let json = try json(span(.test()))
        #expect(json.text("traceId") == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(json.text("spanId") == "000000000000000a")
        #expect(json.text("parentSpanId") == "00f067aa0ba902b7")
        #expect(json.text("startTimeUnixNano") == "1700000000000000000")
        #expect(json.text("endTimeUnixNano") == "1700000000005000000")
        #expect((json.text("name"), json.number("kind"), json.number("flags")) == ("GET /a", 2, 0x301))
        #expect(json["status"] == nil && json["events"] == nil && json["droppedEventsCount"] == nil)
    }

    @Test func aTraceThatBeginsHereHasNoParent() throws {
        let json = try json(span(.test(joining: ""), remote: false))
        #expect(json["parentSpanId"] == nil)
        #expect(json.number("flags") == 0x101)
    }

    @Test func attributesEventsAndTheErrorAreWritten() throws {
        var span = span(.test())
        span.attributes = [
            Attribute("a", "\u{1}\"é"), Attribute("b", .max), Attribute("c", seconds: .milliseconds(1500)),
        ]
        span.events = [.init("head", at: .test, [Attribute("d", -1)]), .init("end", at: .test + .seconds(1))]
        span.droppedEvents = 3
        span.error = "it failed"
        let json = try json(span)
        #expect(json.attributes == ["a": "\u{1}\"é", "b": "int 9223372036854775807", "c": "1.5"])
        #expect(json.list("events").map { $0.text("name") } == ["head", "end"])
        #expect(json.at("events", "0").attributes == ["d": "int -1"])
        #expect(json.at("events", "1").text("timeUnixNano") == "1700000001000000000")
        #expect(json.number("droppedEventsCount") == 3)
        #expect(json.at("status").number("code") == 2)
        #expect(json.at("status").text("message") == "it failed")
    }

    @Test func aBodyHasAllSpans() throws {
        let spans = (1...3).map { span(TraceContext.test().attempt($0)) }
        let body = try JSONValue.object(resource.traces(spans, by: clock))
        let written = body.at("resourceSpans", "0", "scopeSpans", "0").list("spans")
        #expect(Set(written.compactMap { $0.text("spanId") }).count == 3)
        #expect(Set(written.compactMap { $0.text("parentSpanId") }) == ["000000000000000a"])
    }
}
