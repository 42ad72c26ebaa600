import Flow
import Observability

/// A report for scripts: its figures are not rounded, and durations are in seconds.
struct ReportJSON {
    private let report: LogReport

    init(_ report: LogReport) { self.report = report }

    /// One JSON object without a newline.
    var bytes: [UInt8] {
        var json = JSONText(capacity: 4096)
        if let period = report.period {
            json.add("from", period.from.rfc3339)
            json.add("to", period.to.rfc3339)
        }
        json.add("seconds", seconds: .microseconds(report.periodMicroseconds))
        json.add("lines", json: linesJSON)
        json.add("totals", json: object(report.totals))
        json.add("routes", array: report.routes.rows.map { object($0.figures, name: $0.name) })
        json.add("other_routes", json: others(report.routes))
        json.add("clients", array: report.clients.rows.map { object($0.figures, name: $0.name) })
        json.add("other_clients", json: others(report.clients))
        json.add("upstreams", array: report.upstreams.rows.map { object($0.figures, name: $0.name) })
        json.add("other_upstreams", json: others(report.upstreams))
        json.add("hours", array: report.hours.map { object($0) })
        return json.closed()
    }

    private var linesJSON: [UInt8] {
        var json = JSONText()
        let lines = report.lines
        json.add("all", lines.all)
        json.add("counted", lines.counted)
        json.add("filtered_out", lines.filteredOut)
        json.add("passed_over", lines.passedOver)
        json.add("unknown", lines.unknown)
        return json.closed()
    }

    private func others(_ ranking: LogReport.Ranking) -> [UInt8] {
        var json = JSONText()
        json.add("names", ranking.otherNames)
        json.add("approximate", ranking.isApproximate)
        json.add("shortfall", ranking.shortfall)
        add(ranking.others, to: &json)
        return json.closed()
    }

    private func object(_ figures: Figures, name: String? = nil) -> [UInt8] {
        var json = JSONText(capacity: 512)
        if let name { json.add("name", name) }
        add(figures, to: &json)
        return json.closed()
    }

    private func add(_ figures: Figures, to json: inout JSONText) {
        json.add("requests", figures.requests)
        json.add("streams", figures.streams)
        json.add("records", figures.records)
        json.add("bytes", figures.bytes)
        json.add("stream_seconds", Double(figures.streamMicroseconds) / 1_000_000)
        json.add("records_per_second", figures.recordsPerSecond)
        json.add("records_per_second_over_period", figures.recordsPerSecond(over: report.periodMicroseconds))
        for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
            guard let microseconds = figures.duration(percentile: part) else { continue }
            json.add(name, Double(microseconds) / 1_000_000)
        }
        json.add("reasons", json: counts(Figures.reasons.map { ($0?.rawValue, figures.ended($0)) }))
        json.add("statuses", json: counts(figures.statuses.map { (String($0.code), $0.count) }))
        json.add("refusals", json: counts(Figures.problems.map { ($0?.rawValue, figures.refused($0)) }))
        json.add("causes", json: counts(Figures.causes.map { ($0?.rawValue, figures.failed($0)) }))
        json.add("buffer_peak", figures.bufferPeak)
        json.add("dropped", figures.dropped)
        json.add("pauses", figures.pauses)
        json.add("paused", Double(figures.pausedMicroseconds) / 1_000_000)
    }

    /// Only counts above zero.
    private func counts(_ counts: [(name: String?, count: Int)]) -> [UInt8] {
        var json = JSONText()
        for (name, count) in counts where count > 0 { json.add(name ?? "other", count) }
        return json.closed()
    }
}
