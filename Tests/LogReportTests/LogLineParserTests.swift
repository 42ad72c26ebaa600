import Flow
import Observability
import Testing

@testable import LogReport

@Suite struct LogLineParserTests {
    private func parse(_ bytes: [UInt8]) -> LogLineKind {
        var parser = LogLineParser()
        return bytes.withUnsafeBytes { parser.parse($0) }
    }

    private func parse(_ text: String) -> LogLineKind { parse(Array(text.utf8)) }

    private static let whole =
        #"{"time":"2024-02-29T12:34:56.007Z","event":"end","client":"192.0.2.7","route":"/v1","reason":"completed"}"#

    @Test(arguments: ["client", "route", "upstream"]) func aLineWithAVeryLongNameIsUnknown(member: String) {
        func line(_ bytes: Int) -> String {
            var names = ["client": "c", "route": "r", "upstream": "u"]
            names[member] = String(repeating: "x", count: bytes)
            let members = names.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
            return #"{"time":"2024-02-29T12:34:56.007Z","event":"end","reason":"completed",\#(members)}"#
        }
        #expect(parse(line(1024)) != .unknown)
        #expect(parse(line(1025)) == .unknown)
    }

    @Test func noRequestBeganBeforeTheYearZero() {
        let time = Timestamp(rfc3339: "0001-01-01T00:00:00.000Z")
        let line = time.map { LogLine(time: $0, client: "c", reason: .completed, microseconds: 1_000_000_000_000_000) }
        #expect(line?.began.rfc3339 == "0000-01-01T00:00:00.000Z")
    }

    @Test func readsWhatTheAccessLogWrites() throws {
        let id = try #require(StreamId("0123456789abcdef0123456789abcdef"))
        let facts = StreamFacts(
            id: id, client: "192.0.2.7", route: "/v1/\"orders\"", method: "GET", path: "/v1/orders?\u{1b}",
            traceId: "4bf92f3577b34da6a3ce929d0e0e4736")
        var totals = StreamTotals(
            status: 200, upstream: "127.0.0.1:9000",
            terms: Terms(
                pace: .limited(try #require(Rate("10/s"))), burst: 1, buffer: 100, maximumBytes: .mebibytes(1),
                maximumRecordBytes: .kibibytes(256)),
            records: 100, bytes: ByteCount(2345), lasted: .milliseconds(9750), bufferPeak: 42, pauses: 3,
            paused: .milliseconds(1500))
        totals.dropped = 7
        let time = Timestamp(millisecondsSince1970: 1_709_210_096_007)
        let end = StreamEvent.ended(facts, totals, StreamEnd(.slowConsumer, problem: .slowConsumer))
        #expect(
            parse(AccessLogEntry(end, at: time).json())
                == .end(
                    LogLine(
                        time: time, client: "192.0.2.7", route: "/v1/\"orders\"", upstream: "127.0.0.1:9000",
                        reason: .slowConsumer, problem: .slowConsumer, status: 200, records: 100, bytes: 2345,
                        microseconds: 9_750_000, bufferPeak: 42,
                        dropped: 7, pauses: 3, pausedMicroseconds: 1_500_000)))
        #expect(parse(AccessLogEntry(.started(facts), at: time).json()) == .passedOver)
        #expect(parse(AccessLogEntry(.progressed(facts, totals), at: time).json()) == .passedOver)
    }

    @Test func missingMembersCountAsZero() {
        #expect(
            parse(
                #"{"reason":"refused","client":"::1","event":"end","time":"1970-01-01T00:00:01Z","more":{"a":[1,"}"]}}"#
            )
                == .end(LogLine(time: Timestamp(millisecondsSince1970: 1000), client: "::1", reason: .refused)))
    }

    @Test(arguments: [
        (#""cause":"reset""#, true, UpstreamCause.reset), (#""cause":"of a later version""#, true, nil),
        (#""cause":7"#, false, nil), (#""more":1"#, false, nil),
    ]) func theCauseOfAFailure(member: String, hasCause: Bool, cause: UpstreamCause?) {
        guard case .end(let line) = parse(Self.whole.replacing("}", with: ",\(member)}")) else {
            Issue.record("no end")
            return
        }
        #expect(line.hasCause == hasCause && line.cause == cause)
    }

    @Test func aLineThatIsTornAnywhereIsNone() {
        let bytes = Array(Self.whole.utf8)
        for length in 0..<bytes.count { #expect(parse(Array(bytes[..<length])) == .unknown, "\(length)") }
        for length in 1..<bytes.count { #expect(parse(Array(bytes[length...])) == .unknown, "\(length)") }
        #expect(parse(bytes) != .unknown)
    }

    @Test func twoLinesInOneAreNone() {
        #expect(parse(Self.whole + Self.whole) == .unknown)
        #expect(parse(Self.whole + "x") == .unknown)
        #expect(parse(Self.whole + " \r") != .unknown)
    }

    @Test func bytesThatAreNoUTF8AreNone() {
        #expect(parse(Array(Self.whole.utf8.dropLast(2)) + [0xFF, 0x22, 0x7D]) == .unknown)
    }

    @Test(arguments: [
        "", " ", "null", "[]", "{}", "7", "\"x\"", "GET / HTTP/1.1", #"{"time":"2024-02-29T12:34:56Z"}"#,
        #"{"time":"yesterday","event":"end","client":"a","reason":"completed"}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"else","client":"a","reason":"completed"}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"end","client":7,"reason":"completed"}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"end","client":"a"}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"end","client":"a","reason":"completed","records":-1}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"end","client":"a","reason":"completed","bytes":1e300}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"end","client":"a","reason":"completed","bytes":"7"}"#,
        #"{"time":"2024-02-29T12:34:56Z","event":"end","client":"a","reason":"completed","duration":01}"#,
    ])
    func otherTextIsNone(text: String) { #expect(parse(text) == .unknown) }

    @Test func ofTwoMembersWithOneNameTheFirstCounts() {
        let twice = Self.whole.replacing(#""reason""#, with: #""reason":"drained","reason""#)
        guard case .end(let line) = parse(twice) else {
            Issue.record("no end")
            return
        }
        #expect(line.reason == .drained)
    }

    @Test func aReasonOfAnotherVersionIsKept() {
        guard case .end(let line) = parse(Self.whole.replacing("completed", with: "abducted")) else {
            Issue.record("no end")
            return
        }
        #expect(line.reason == nil)
    }

    @Test func aNameMayBeEscaped() {
        #expect(parse(Self.whole.replacing("client", with: #"cl\u0069ent"#)) == parse(Self.whole))
    }
}
