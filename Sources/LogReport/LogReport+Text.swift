import Flow
import Observability
import PlainText

extension LogReport {
    /// The tables and the totals as lines of ASCII, each with its newline.
    ///
    /// - Parameters:
    ///   - width: Of the screen, in characters; a wider table is continued below.
    ///   - rows: Of the screen; the last tables that do not fit are omitted, the totals remain. `nil` for no limit.
    /// - Returns: Only printable ASCII and newlines, whatever the log contains.
    package func text(width: Int, rows: Int? = nil) -> String {
        var lines: [String] = []
        if period != nil {
            lines += tables(of: routes, title: "route", width: width)
            lines += tables(of: clients, title: "client", width: width)
            lines += tables(of: upstreams, title: "upstream", width: width)
            lines += hoursOfDay(width: width)
        }
        let totals = closing.flatMap { Self.wrapped($0, to: width) }
        if let rows { lines = Self.wholeTables(of: lines, fitting: rows - totals.count, width: width) }
        lines += totals
        return lines.map { $0 + "\n" }.joined()
    }

    /// The first tables, each ended by its empty line, in at most this number of rows, with a note if some are omitted.
    private static func wholeTables(of lines: [String], fitting rows: Int, width: Int) -> [String] {
        guard lines.count > rows else { return lines }
        let note = wrapped("More tables than the screen has room for.", to: width) + [""]
        let end = lines.prefix(max(0, rows - note.count)).lastIndex(of: "").map { $0 + 1 } ?? 0
        return lines[..<end] + note
    }

    private func tables(of ranking: Ranking, title: String, width: Int) -> [String] {
        var rows = ranking.rows.map { (name: Printable.name($0.name), figures: $0.figures) }
        if ranking.otherNames > 0 {
            rows.append(("(\(Printable.count(ranking.otherNames, "other")))", ranking.others))
        }
        guard !rows.isEmpty else { return [] }
        let names = rows.map(\.name), figures = rows.map(\.figures)
        let sections = [
            (title, traffic(figures)), ("\(title), ended as", ends(figures)),
            ("\(title), status", statuses(figures)), ("\(title), refused for", refusals(figures)),
            ("\(title), buffers and pauses", bufferFigures(figures)),
        ]
        var lines = sections.filter { !$0.1.isEmpty }.flatMap { title, columns in
            Table(title: title, names: names, columns: columns).lines(width: width) + [""]
        }
        if ranking.isApproximate {
            let note =
                "More \(title)s than are kept at a time: a \(title)'s records may be up to "
                + "\(Printable.count(ranking.shortfall)) too low; what is missing is among the others."
            lines += Self.wrapped(note, to: width) + [""]
        }
        return lines
    }

    private func traffic(_ figures: [Figures]) -> [Table.Column] {
        [
            column("requests", figures) { Printable.count($0.requests) },
            column("streams", figures) { Printable.count($0.streams) },
            column("records", figures) { Printable.count($0.records) },
            column("bytes", figures) { Printable.bytes($0.bytes) },
            column("rec/s run", figures) { Printable.rate($0.recordsPerSecond) },
            column("rec/s all", figures) { Printable.rate($0.recordsPerSecond(over: periodMicroseconds)) },
            column("p50", figures) { Printable.duration($0.duration(percentile: 0.5)) },
            column("p99", figures) { Printable.duration($0.duration(percentile: 0.99)) },
        ]
    }

    /// A column for each reason that occurs, and always one for slow consumers.
    private func ends(_ figures: [Figures]) -> [Table.Column] {
        Self.reasons.filter { $0 == .slowConsumer || totals.ended($0) > 0 }.map { reason in
            column(reason?.rawValue ?? "other", figures) { Printable.count($0.ended(reason)) }
        }
    }

    /// The traffic by the hour of the day; none if all requests ended in one hour.
    private func hoursOfDay(width: Int) -> [String] {
        let used = hours.indices.filter { hours[$0].requests > 0 }
        guard used.count > 1 else { return [] }
        let names = used.map { "\($0 < 10 ? "0" : "")\($0):00" }, figures = used.map { hours[$0] }
        let columns = traffic(figures) + ends(figures)
        return Table(title: "hour (UTC)", names: names, columns: columns).lines(width: width) + [""]
    }

    /// A column for each status code that occurs.
    private func statuses(_ figures: [Figures]) -> [Table.Column] {
        totals.statuses.map { code, _ in column(String(code), figures) { Printable.count($0.answered(code)) } }
    }

    private func refusals(_ figures: [Figures]) -> [Table.Column] {
        Self.problems.filter { totals.refused($0) > 0 }.map { problem in
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

    private var closing: [String] {
        let total =
            "Total: \(Printable.count(totals.requests, "request")), \(Printable.count(totals.streams, "stream")), "
            + "\(Printable.count(totals.records, "record")), \(Printable.bytes(totals.bytes))"
        let span = period.map {
            "Period: \($0.from.rfc3339) to \($0.to.rfc3339), \(Printable.duration($0.microseconds))"
        }
        let read =
            "Lines: \(Printable.count(lines.all)), of which \(Printable.count(lines.counted)) counted, "
            + "\(Printable.count(lines.filteredOut)) filtered out, \(Printable.count(lines.passedOver)) of starts or "
            + "progress, \(Printable.count(lines.unknown)) no log lines"
        return [total, span, read].compactMap(\.self)
    }

    /// A sentence in lines of at most `width` characters, split at spaces; all but the first are indented.
    private static func wrapped(_ sentence: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in sentence.split(separator: " ") {
            if let last = lines.last, last.utf8.count + 1 + word.utf8.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(lines.isEmpty ? String(word) : "  " + word)
            }
        }
        return lines
    }

    /// In display order; `nil` is for values that this version does not know.
    static let reasons: [Outcome?] = Outcome.allCases + [nil]
    static let problems: [Problem.Kind?] = Problem.Kind.allCases + [nil]
}
