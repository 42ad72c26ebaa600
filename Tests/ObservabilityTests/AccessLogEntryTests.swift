import Flow
import Observability
import Testing

@Suite struct AccessLogEntryTests {
    private let time = Timestamp(millisecondsSince1970: 1_709_210_096_007)

    private func facts() throws -> StreamFacts {
        let id: StreamId = try #require(StreamId("0123456789abcdef0123456789abcdef"))
        return StreamFacts(
            id: id, client: "192.0.2.7", route: "/v1/orders",
            method: "GET", path: "/v1/orders/stream", traceId: "4bf92f3577b34da6a3ce929d0e0e4736")
    }

    private func totals() throws -> StreamTotals {
        StreamTotals(
            status: 200, upstream: "127.0.0.1:9000",
            terms: Terms(
                pace: .limited(try #require(Rate("10/s"))), burst: 1, buffer: 100, maximumBytes: .mebibytes(1),
                maximumRecordBytes: .kibibytes(256)),
            records: 100, bytes: ByteCount(2345), lasted: .milliseconds(9_750), bufferPeak: 42, pauses: 3,
            paused: .milliseconds(1500))
    }

    private func json(_ event: StreamEvent) -> String {
        String(decoding: AccessLogEntry(event, at: time).json(), as: UTF8.self)
    }

    private func combined(_ event: StreamEvent) -> String? {
        AccessLogEntry(event, at: time).combined().map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theEndOfAStreamHasEveryNameOfTheContractInOrder() throws {
        let end = StreamEnd(.slowConsumer, problem: .slowConsumer, isDelimitedByClose: true)
        #expect(
            json(.ended(try facts(), try totals(), end))
                == #"{"time":"2024-02-29T12:34:56.007Z","event":"end","id":"0123456789abcdef0123456789abcdef","#
                + #""client":"192.0.2.7","route":"/v1/orders","method":"GET","path":"/v1/orders/stream","status":200,"#
                + #""upstream":"127.0.0.1:9000","rate":"10/second","buffer":100,"records":100,"bytes":2345,"#
                + #""duration":9.75,"records_per_second":10.256,"buffer_peak":42,"pauses":3,"paused":1.5,"#
                + #""reason":"slow_consumer","problem":"slow-consumer","#
                + #""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","delimited":"close"}"#)
    }

    @Test func unknownValuesAreOmitted() {
        let facts = StreamFacts(client: "::1", method: "GET", path: "/")
        #expect(
            json(.ended(facts, StreamTotals(), StreamEnd(.refused)))
                == #"{"time":"2024-02-29T12:34:56.007Z","event":"end","client":"::1","method":"GET","path":"/","#
                + #""bytes":0,"duration":0.0,"pauses":0,"paused":0.0,"reason":"refused"}"#)
    }

    @Test func theStartAndTheProgressSayWhichTheyAre() throws {
        #expect(
            json(.started(try facts()))
                == #"{"time":"2024-02-29T12:34:56.007Z","event":"start","id":"0123456789abcdef0123456789abcdef","#
                + #""client":"192.0.2.7","route":"/v1/orders","method":"GET","path":"/v1/orders/stream","#
                + #""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#)
        let progress = json(.progressed(try facts(), try totals()))
        #expect(progress.contains(#""event":"progress""#))
        #expect(progress.contains(#""records":100,"#))
        #expect(!progress.contains("reason"))
    }

    @Test func aStreamWithoutTimeHasNoThroughput() throws {
        var totals = try totals()
        totals.lasted = .zero
        #expect(totals.recordsPerSecond == 0)
    }

    @Test func aPathCannotForgeALine() {
        let facts = StreamFacts(client: "::1", method: "GET", path: "/\"\n{\"event\":\"end\"}")
        #expect(json(.started(facts)).contains(#""path":"/\"\n{\"event\":\"end\"}""#))
    }

    @Test func theCombinedFormatIsThatOfWebServers() throws {
        var facts = try facts()
        let totals = try totals()
        #expect(
            combined(.ended(facts, totals, StreamEnd(.completed)))
                == #"192.0.2.7 - - [29/Feb/2024:12:34:56 +0000] "GET /v1/orders/stream HTTP/1.1" 200 2345 "-" "-""#)
        facts.referer = "https://example.com/\"x"
        facts.userAgent = "curl/8\n\\é"
        facts.httpVersion = "HTTP/1.0"
        #expect(
            combined(.ended(facts, StreamTotals(), StreamEnd(.refused)))
                == #"192.0.2.7 - - [29/Feb/2024:12:34:56 +0000] "GET /v1/orders/stream HTTP/1.0" - 0 "#
                + #""https://example.com/\x22x" "curl/8\x0A\x5C\xC3\xA9""#)
    }

    @Test func theCombinedFormatLogsEndsOnly() throws {
        #expect(combined(.started(try facts())) == nil)
        #expect(combined(.progressed(try facts(), try totals())) == nil)
    }
}
