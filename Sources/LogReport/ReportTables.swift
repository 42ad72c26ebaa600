import Flow
import Observability
import PlainText

/// The content of a report as tables and sentences, whatever its form.
struct ReportTables {
    /// The tables of the routes, of the clients or of the upstreams.
    struct Section {
        let tables: [Table]
        /// A sentence about their precision; `nil` if they are exact.
        let note: String?
    }

    private let report: LogReport
    private var totals: Figures { report.totals }

    init(_ report: LogReport) { self.report = report }

    /// The times of the first request and the last one; `nil` if no line counted.
    var period: String? { report.period.map { "\($0.from.rfc3339) to \($0.to.rfc3339)" } }

    /// Empty if no line counted.
    var sections: [Section] {
        guard report.period != nil else { return [] }
        return [
            section(report.routes, title: "route"), section(report.clients, title: "client"),
            section(report.upstreams, title: "upstream"),
        ]
    }

    private func section(_ ranking: LogReport.Ranking, title: String) -> Section {
        var rows = ranking.rows.map { (name: Printable.name($0.name), figures: $0.figures) }
        if ranking.otherNames > 0 {
            rows.append(("(\(Printable.count(ranking.otherNames, "other")))", ranking.others))
        }
        guard !rows.isEmpty else { return Section(tables: [], note: nil) }
        let names = rows.map(\.name), figures = rows.map(\.figures)
        let tables = [
            (title, traffic(figures)), ("\(title), ended as", ends(figures)),
            ("\(title), status", statuses(figures)), ("\(title), refused for", refusals(figures)),
            ("\(title), upstream failed by", failures(figures)),
            ("\(title), buffers and pauses", bufferFigures(figures)),
        ]
        let note =
            "More \(title)s than are kept at a time: a \(title)'s records may be up to "
            + "\(Printable.count(ranking.shortfall)) too low; what is missing is among the others."
        return Section(
            tables: tables.filter { !$0.1.isEmpty }.map { Table(title: $0, names: names, columns: $1) },
            note: ranking.isApproximate ? note : nil)
    }

    private func traffic(_ figures: [Figures]) -> [Table.Column] {
        [
            column("requests", figures) { Printable.count($0.requests) },
            column("streams", figures) { Printable.count($0.streams) },
            column("records", figures) { Printable.count($0.records) },
            column("bytes", figures) { Printable.bytes($0.bytes) },
            column("rec/s run", figures) { Printable.rate($0.recordsPerSecond) },
            column("rec/s all", figures) { Printable.rate($0.recordsPerSecond(over: report.periodMicroseconds)) },
            column("p50", figures) { Printable.duration($0.duration(percentile: 0.5)) },
            column("p99", figures) { Printable.duration($0.duration(percentile: 0.99)) },
        ]
    }

    /// A column for each reason that occurs, and always one for slow consumers.
    private func ends(_ figures: [Figures]) -> [Table.Column] {
        Figures.reasons.filter { $0 == .slowConsumer || totals.ended($0) > 0 }.map { reason in
            column(reason?.rawValue ?? "other", figures) { Printable.count($0.ended(reason)) }
        }
    }

    /// The traffic by the hour of the day; `nil` if all requests ended in one hour.
    var hoursOfDay: Table? {
        let used = report.hours.indices.filter { report.hours[$0].requests > 0 }
        guard used.count > 1 else { return nil }
        let names = used.map { "\($0 < 10 ? "0" : "")\($0):00" }, figures = used.map { report.hours[$0] }
        let columns = traffic(figures) + ends(figures)
        return Table(title: "hour (UTC)", names: names, columns: columns)
    }

    /// A column for each status code that occurs.
    private func statuses(_ figures: [Figures]) -> [Table.Column] {
        totals.statuses.map { code, _ in column(String(code), figures) { Printable.count($0.answered(code)) } }
    }

    /// A column for each cause for which an upstream failed.
    private func failures(_ figures: [Figures]) -> [Table.Column] {
        Figures.causes.filter { totals.failed($0) > 0 }.map { cause in
            column(cause?.rawValue ?? "other", figures) { Printable.count($0.failed(cause)) }
        }
    }

    private func refusals(_ figures: [Figures]) -> [Table.Column] {
        Figures.problems.filter { totals.refused($0) > 0 }.map { problem in
            column(problem?.rawValue ?? "other", figures) { Printable.count($0.refused(problem)) }
        }
    }

    private func bufferFigures(_ figures: [Figures]) -> [Table.Column] {
        [
            column("buffer_peak", figures) { Printable.count($0.bufferPeak) },
            column("dropped", figures) { Printable.count($0.dropped) },
            column("pauses", figures) { Printable.count($0.pauses) },
            column("paused", figures) { Printable.duration($0.pausedMicroseconds) },
        ]
    }

    private func column(_ title: String, _ figures: [Figures], _ cell: (Figures) -> String) -> Table.Column {
        Table.Column(title: title, cells: figures.map(cell))
    }

    /// The totals, the period and the lines, each as a sentence.
    var summary: [String] {
        let total =
            "Total: \(Printable.count(totals.requests, "request")), \(Printable.count(totals.streams, "stream")), "
            + "\(Printable.count(totals.records, "record")), \(Printable.bytes(totals.bytes))"
        let span = period.map { "Period: \($0), \(Printable.duration(report.periodMicroseconds))" }
        let lines = report.lines
        let read =
            "Lines: \(Printable.count(lines.all)), of which \(Printable.count(lines.counted)) counted, "
            + "\(Printable.count(lines.filteredOut)) filtered out, \(Printable.count(lines.passedOver)) of starts or "
            + "progress, \(Printable.count(lines.unknown)) no log lines"
        return [total, span, read].compactMap(\.self)
    }
}
