import Flow
import OTLP
import Observability
import Testing

@Suite struct MetricsBodyTests {
    private let resource = Resource(name: "weir", instance: "a", version: "1")
    private let body = MetricsBody(
        since: Timestamp(millisecondsSince1970: 1_700_000_000_000),
        at: Timestamp(millisecondsSince1970: 1_700_000_060_000))

    private func metrics(_ body: consuming MetricsBody) throws -> [[String: Any]] {
        let json = resource.metrics(body.closed())
        return try JSONValue.object(json).at("resourceMetrics", "0", "scopeMetrics", "0").list("metrics")
    }

    @Test func aCounterIsACumulativeSum() throws {
        var body = body
        body.begin(MetricFamily("weir_a", .counter, unit: "bytes", "Help."))
        body.add(["route": "/a"], 5)
        body.add(["route": "/b"], seconds: 1.5)
        let metric = try #require(try metrics(body).first)
        #expect(metric.text("name") == "weir_a")
        #expect((metric.text("unit"), metric.text("description")) == ("By", "Help."))
        let sum = metric.at("sum")
        #expect(sum.number("aggregationTemporality") == 2)
        #expect(sum["isMonotonic"] as? Bool == true)
        let point = sum.at("dataPoints", "0")
        #expect(point.attributes == ["route": "/a"])
        #expect(point.text("asInt") == "5")
        #expect(point.text("startTimeUnixNano") == "1700000000000000000")
        #expect(point.text("timeUnixNano") == "1700000060000000000")
        #expect(sum.at("dataPoints", "1")["asDouble"] as? Double == 1.5)
    }

    @Test func aGaugeAndAConstantAreGauges() throws {
        var body = body
        body.begin(MetricFamily("weir_b", .gauge, "Help."))
        body.add([:], 1)
        body.begin(MetricFamily("weir_c", .info, "Help."))
        body.add(["version": "1"], 1)
        let metrics = try metrics(body)
        #expect(metrics.map { $0.text("name") } == ["weir_b", "weir_c_info"])
        #expect(metrics.allSatisfy { $0.at("gauge").list("dataPoints").count == 1 && $0["unit"] == nil })
    }

    @Test func aHistogramHasACountForEachBucket() throws {
        var body = body
        var histogram = Histogram(bounds: [.milliseconds(10), .seconds(1)])
        for milliseconds in [5, 20, 30, 2000] { histogram.observe(.milliseconds(milliseconds)) }
        body.begin(MetricFamily("weir_d_seconds", .histogram, unit: "seconds", "Help."))
        body.add(["route": "/"], histogram)
        let data = try #require(try metrics(body).first).at("histogram")
        #expect(data.number("aggregationTemporality") == 2)
        let point = data.at("dataPoints", "0")
        #expect(point.text("count") == "4")
        #expect(point["sum"] as? Double == 2.055)
        #expect(point["bucketCounts"] as? [String] == ["1", "2", "1"])
        #expect(point["explicitBounds"] as? [Double] == [0.01, 1])
    }

    @Test func aMetricWithoutSamplesIsNotSent() throws {
        var body = body
        body.begin(MetricFamily("weir_e", .gauge, "Help."))
        body.begin(MetricFamily("weir_f", .gauge, "Help."))
        body.add([:], 1)
        body.begin(MetricFamily("weir_g", .gauge, "Help."))
        #expect(try metrics(body).map { $0.text("name") } == ["weir_f"])
    }
}
