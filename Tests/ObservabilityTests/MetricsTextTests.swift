import Observability
import Testing

@Suite struct MetricsTextTests {
    private static let bytes = MetricFamily("weir_bytes", .counter, unit: "bytes", "Bytes, and a \\.")

    private func written(_ format: MetricsText.Format) -> String {
        var text = MetricsText(format: format)
        text.begin(Self.bytes)
        text.add(["route": "/a\"b\\c\nd"], 7)
        text.add([:], 8)
        text.begin(.build)
        text.add(["version": "1"], 1)
        return text.closed()
    }

    @Test func thePrometheusFormatNamesCountersWithTheirEnding() {
        #expect(
            written(.prometheus) == #"""
                # HELP weir_bytes_total Bytes, and a \\.
                # TYPE weir_bytes_total counter
                weir_bytes_total{route="/a\"b\\c\nd"} 7
                weir_bytes_total 8
                # HELP weir_build_info The version of weir and of libcurl.
                # TYPE weir_build_info gauge
                weir_build_info{version="1"} 1

                """#)
    }

    @Test func openMetricsHasUnitsAndAnEnd() {
        #expect(
            written(.openMetrics) == #"""
                # HELP weir_bytes Bytes, and a \\.
                # TYPE weir_bytes counter
                # UNIT weir_bytes bytes
                weir_bytes_total{route="/a\"b\\c\nd"} 7
                weir_bytes_total 8
                # HELP weir_build The version of weir and of libcurl.
                # TYPE weir_build info
                weir_build_info{version="1"} 1
                # EOF

                """#)
    }

    @Test func aHistogramIsCumulative() {
        var histogram = Histogram(bounds: [.milliseconds(10), .seconds(1)])
        for duration in [Duration.milliseconds(5), .milliseconds(500), .seconds(3)] { histogram.observe(duration) }
        var text = MetricsText(format: .prometheus)
        text.begin(MetricFamily("lag_seconds", .histogram, "Lag."))
        text.add(["route": "/"], histogram)
        #expect(
            text.closed().split(separator: "\n").dropFirst(2) == [
                #"lag_seconds_bucket{route="/",le="0.01"} 1"#,
                #"lag_seconds_bucket{route="/",le="1.0"} 2"#,
                #"lag_seconds_bucket{route="/",le="+Inf"} 3"#,
                #"lag_seconds_sum{route="/"} 3.505"#,
                #"lag_seconds_count{route="/"} 3"#,
            ])
    }

    @Test(arguments: [
        ([], false), (["*/*"], false), (["text/plain;version=0.0.4"], false),
        (["application/openmetrics-text; version=1.0.0,text/plain;q=0.5"], true),
        (["text/plain", " Application/OpenMetrics-Text;version=1.0.0;q=0.9"], true),
    ])
    func openMetricsIsSentIfItIsAccepted(accept: [String], isOpen: Bool) {
        #expect((MetricsText.Format(accept: accept) == .openMetrics) == isOpen)
    }
}
