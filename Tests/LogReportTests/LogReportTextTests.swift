import Flow
import Observability
import Testing

@testable import LogReport

@Suite struct LogReportTextTests {
    private func report(_ lines: [String], top: Int = 20) -> LogReport {
        var tally = LogTally()
        for line in lines { tally.add(line) }
        return tally.report(top: top)
    }

    private static let stream =
        #"{"time":"2024-02-29T12:00:10.000Z","event":"end","client":"192.0.2.7","route":"/v1/orders","records":100,"#
        + #""bytes":2345,"duration":10.0,"buffer_peak":42,"pauses":3,"paused":1.5,"reason":"completed"}"#
    private static let refused =
        #"{"time":"2024-02-29T12:00:20.000Z","event":"end","client":"192.0.2.8","bytes":200,"duration":0.001,"#
        + #""reason":"refused","problem":"rate-limit"}"#

    @Test func aReportOfTwoRequests() {
        let lines = [Self.stream, Self.refused, "torn", #"{"time":"2024-02-29T12:00:00Z","event":"start"}"#]
        #expect(
            report(lines, top: 1).text(width: 100) == """
                route       requests  streams  records     bytes  rec/s run  rec/s all    p50    p99
                /v1/orders         1        1      100  2.29 KiB       10.0       5.00  10.0s  10.0s
                (1 other)          1        0        0     200 B       0.00       0.00      -      -

                route, ended as  completed  slow_consumer  refused
                /v1/orders               1              0        0
                (1 other)                0              0        1

                route, refused for  rate-limit
                /v1/orders                   0
                (1 other)                    1

                route, buffers and pauses  buffer_peak  dropped  pauses  paused
                /v1/orders                          42        0       3   1.50s
                (1 other)                            0        0       0      0s

                client     requests  streams  records     bytes  rec/s run  rec/s all    p50    p99
                192.0.2.7         1        1      100  2.29 KiB       10.0       5.00  10.0s  10.0s
                (1 other)         1        0        0     200 B       0.00       0.00      -      -

                client, ended as  completed  slow_consumer  refused
                192.0.2.7                 1              0        0
                (1 other)                 0              0        1

                client, refused for  rate-limit
                192.0.2.7                     0
                (1 other)                     1

                client, buffers and pauses  buffer_peak  dropped  pauses  paused
                192.0.2.7                            42        0       3   1.50s
                (1 other)                             0        0       0      0s

                Total: 2 requests, 1 stream, 100 records, 2.49 KiB
                Period: 2024-02-29T12:00:00.000Z to 2024-02-29T12:00:20.000Z, 20.0s
                Lines: 4, of which 2 counted, 0 filtered out, 1 of starts or progress, 1 no log lines

                """)
    }

    @Test func causesHaveATableIfTheyOccur() {
        let failed = Self.stream.replacing("}", with: #","cause":"reset","upstream":"a"}"#)
        let text = report([failed, failed, failed.replacing("\"reset", with: "\"later"), Self.refused]).text(width: 100)
        #expect(
            text.contains(
                """
                upstream, upstream failed by  reset  other
                a                                 2      1
                """))
        #expect(!report([Self.stream]).text(width: 100).contains("failed by"))
    }

    @Test func aPageEscapesWhatTheLogContains() {
        let hostile = Self.stream.replacing("192.0.2.7", with: "<b>&amp;\u{202e}")
        let page = report([hostile]).html()
        #expect(page.contains("<th>&lt;b&gt;&amp;amp;\\u{202e}</th>"))
        #expect(!page.contains("<b>"))
        #expect(report([]).html().contains("<p>Total: 0 requests"))
    }

    @Test func statusesUpstreamsAndHoursHaveTablesIfTheyOccur() {
        let answered = Self.stream.replacing("}", with: #","status":200,"upstream":"127.0.0.1:9000"}"#)
        let late = answered.replacing("T12:", with: "T23:").replacing("200", with: "206")
        let report = report([answered, answered, late, Self.refused.replacing("}", with: #","status":429}"#)])
        let text = report.text(width: 100)
        #expect(
            text.contains(
                """
                route, status  200  206  429
                /v1/orders       2    1    0
                -                0    0    1
                """))
        #expect(text.contains("\nupstream        requests  streams"))
        #expect(
            text.contains(
                """
                upstream, status  200  206  429
                127.0.0.1:9000      2    1    0
                """))
        #expect(text.contains("\nhour (UTC)  requests") && text.contains("\n12:00              3"))
        #expect(text.contains("\n23:00              1"))
        #expect(report.hours.map(\.requests).reduce(0, +) == 4 && report.upstreams.rows.count == 1)
    }

    @Test(arguments: 0..<40) func aShortScreenHasWholeTablesAndAlwaysTheTotals(rows: Int) {
        let report = report([Self.stream, Self.refused]), whole = report.text(width: 100)
        let cut = report.text(width: 100, rows: rows)
        let all = whole.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let shown = cut.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(shown.count <= max(rows, 5))
        #expect(shown.suffix(3) == all.suffix(3))
        guard rows < all.count else { return #expect(shown == all) }
        let tables = shown.prefix { !$0.hasPrefix("More tables") }
        #expect(tables == all.prefix(tables.count) && (tables.last ?? "") == "")
    }

    @Test func aNarrowScreenGetsTheColumnsBelowEachOther() {
        let lines = report([Self.stream, Self.refused]).text(width: 40).split(separator: "\n")
        let tables = lines.prefix { !$0.hasPrefix("Total") }
        #expect(tables.allSatisfy { $0.utf8.count <= 40 })
        for title in ["requests", "p99", "slow_consumer", "rate-limit", "paused"] {
            #expect(tables.count { $0.contains("  \(title)") } == 2)
        }
        #expect(tables.count { $0.hasPrefix("/v1/orders ") } > 4)
    }

    @Test func aLongNameKeepsItsEnds() {
        let long = "/v1/" + String(repeating: "x", count: 200) + "/end"
        let text = report([Self.stream.replacing("/v1/orders", with: long)]).text(width: 80)
        #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 80 })
        #expect(text.contains("/v1/xxx") && text.contains("xxx/end "))
    }

    @Test func nothingInALogSteersTheTerminal() {
        let text = report([Self.stream.replacing("/v1/orders", with: #"\u001b[2J\n\\\u202eé"#)]).text(width: 160)
        #expect(text.utf8.allSatisfy { $0 == UInt8(ascii: "\n") || (0x20...0x7E).contains($0) })
        #expect(text.contains(#"\u{1b}[2J\u{a}\\\u{202e}\u{e9}"#))
    }

    @Test func namesThatWereForgottenAreSaid() {
        var tally = LogTally(limits: .init(routes: 2, clients: 2))
        for client in 1...4 {
            tally.add(Self.stream.replacing("192.0.2.7", with: "192.0.2.\(client)"))
        }
        let report = tally.report(top: 20)
        #expect(report.clients.isApproximate && report.clients.shortfall == 200)
        #expect(report.totals.records == 400)
        #expect(report.text(width: 80).replacing("\n ", with: "").contains("may be up to 200 too low"))
        #expect(!report.text(width: 80).contains("a route's"))
    }

    @Test func theObjectForScriptsHasTheSameFigures() {
        let json = String(decoding: report([Self.stream, Self.refused], top: 1).json(), as: UTF8.self)
        let stream =
            #""requests":1,"streams":1,"records":100,"bytes":2345,"stream_seconds":10.0,"records_per_second":10.0,"#
            + #""records_per_second_over_period":5.0,"p50":10.0,"p99":10.0,"reasons":{"completed":1},"#
            + #""statuses":{},"refusals":{},"causes":{},"#
            + #""buffer_peak":42,"dropped":0,"pauses":3,"paused":1.5}"#
        let refused =
            #""requests":1,"streams":0,"records":0,"bytes":200,"stream_seconds":0.0,"records_per_second":0.0,"#
            + #""records_per_second_over_period":0.0,"reasons":{"refused":1},"#
            + #""statuses":{},"refusals":{"rate-limit":1},"causes":{},"#
            + #""buffer_peak":0,"dropped":0,"pauses":0,"paused":0.0}"#
        #expect(json.hasPrefix(#"{"from":"2024-02-29T12:00:00.000Z","to":"2024-02-29T12:00:20.000Z","seconds":20.0,"#))
        #expect(json.contains(#""lines":{"all":2,"counted":2,"filtered_out":0,"passed_over":0,"unknown":0}"#))
        #expect(json.contains(#""routes":[{"name":"/v1/orders","# + stream + "],"))
        #expect(json.contains(#""other_routes":{"names":1,"approximate":false,"shortfall":0,"# + refused))
        #expect(json.contains(#""clients":[{"name":"192.0.2.7","# + stream + "],"))
    }

    @Test func aLongSentenceIsWrapped() {
        #expect(
            report([]).text(width: 80) == """
                Total: 0 requests, 0 streams, 0 records, 0 B
                Lines: 0, of which 0 counted, 0 filtered out, 0 of starts or progress, 0 no log
                  lines

                """)
    }
}
