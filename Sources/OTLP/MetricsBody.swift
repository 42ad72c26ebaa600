import Flow
package import Observability

/// Writes metrics as OTLP's JSON: counters as cumulative sums, the others as gauges and histograms.
package struct MetricsBody: MetricsOutput {
    /// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
    private static let cumulative = 2

    /// Each metric as JSON.
    private(set) var families: [[UInt8]] = []
    private let start: String
    private let time: String
    private var family: MetricFamily?
    private var points: [[UInt8]] = []

    /// - Parameters:
    ///   - start: When the counts began.
    ///   - time: Now.
    package init(since start: Timestamp, at time: Timestamp) {
        (self.start, self.time) = (start.nanosecondsText, time.nanosecondsText)
    }

    package mutating func begin(_ family: MetricFamily) {
        end()
        self.family = family
    }

    package mutating func add(_ labels: Labels, _ value: Int) { addPoint(labels) { $0.add(int64: value, "asInt") } }

    package mutating func add(_ labels: Labels, seconds: Double) { addPoint(labels) { $0.add("asDouble", seconds) } }

    package mutating func add(_ labels: Labels, _ histogram: Histogram) {
        addPoint(labels) { point in
            point.add(int64: histogram.count, "count")
            point.add("sum", histogram.sum.inSeconds)
            point.add("bucketCounts", histogram.buckets.map(String.init))
            point.add("explicitBounds", array: histogram.bounds.map { Array(String($0.inSeconds).utf8) })
        }
    }

    /// All metrics that have samples.
    package consuming func closed() -> MetricsBody {
        end()
        return self
    }

    private mutating func addPoint(_ labels: Labels, _ addValue: (inout JSONText) -> Void) {
        var point = JSONText()
        point.add(labels.map { Attribute($0, $1) })
        point.add("startTimeUnixNano", start)
        point.add("timeUnixNano", time)
        addValue(&point)
        points.append(point.closed())
    }

    private mutating func end() {
        guard let family, !points.isEmpty else { return }
        var data = JSONText(capacity: 64 + points.reduce(0) { $0 + $1.count + 1 })
        data.add("dataPoints", array: points)
        let isGauge = family.kind == .gauge || family.kind == .info
        if !isGauge { data.add("aggregationTemporality", Self.cumulative) }
        if family.kind == .counter { data.add("isMonotonic", true) }
        var json = JSONText()
        json.add("name", family.kind == .info ? family.sampleName : family.name)
        json.add("description", family.help)
        if let unit = family.unit { json.add("unit", Self.units[unit] ?? unit) }
        json.add(isGauge ? "gauge" : family.kind == .counter ? "sum" : "histogram", json: data.closed())
        families.append(json.closed())
        (self.family, points) = (nil, [])
    }

    /// As in UCUM.
    private static let units = ["seconds": "s", "bytes": "By"]
}

extension Timestamp {
    fileprivate var nanosecondsText: String { String(millisecondsSince1970 * 1_000_000) }
}
