package import Observability

/// The summary of some access logs.
package struct LogReport: Equatable, Sendable {
    /// From the start of the first request to the end of the last one.
    package struct Period: Equatable, Sendable {
        package let from: Timestamp
        package let to: Timestamp

        package var microseconds: Int { Int(to.millisecondsSince1970 - from.millisecondsSince1970) * 1000 }
    }

    /// The heaviest names by records, and the sum of the others.
    package struct Ranking: Equatable, Sendable {
        package struct Row: Equatable, Sendable {
            package let name: String
            package let figures: Figures
        }

        package let rows: [Row]
        package let others: Figures
        /// Names that are not among the rows; a removed one that was added again may count twice.
        package let otherNames: Int
        /// The number of records by which a row may be too low; zero if no name was removed.
        package let shortfall: Int
        /// Whether names were removed to bound the memory.
        package let isApproximate: Bool

        init(_ groups: Groups, top: Int) {
            let ranked = groups.ranked(top: top)
            rows = ranked.rows
            others = ranked.others
            otherNames = ranked.otherNames
            shortfall = groups.shortfall
            isApproximate = groups.foldings > 0
        }
    }

    /// `nil` if no line counted.
    package let period: Period?
    package let lines: LineCounts
    package let totals: Figures
    package let routes: Ranking
    package let clients: Ranking
    /// Only requests that were sent to an upstream.
    package let upstreams: Ranking
    /// The requests that ended in each hour of the day, in UTC; 24 elements.
    package let hours: [Figures]

    var periodMicroseconds: Int { period?.microseconds ?? 0 }

    // MARK: Forms

    /// The tables and the totals as lines of ASCII, each with its newline.
    ///
    /// - Parameters:
    ///   - width: Of the screen, in characters; a wider table is continued below.
    ///   - rows: Of the screen; the last tables that do not fit are omitted, the totals remain. `nil` for no limit.
    /// - Returns: Only printable ASCII and newlines, whatever the log contains.
    package func text(width: Int, rows: Int? = nil) -> String {
        ReportText(ReportTables(self), width: width).text(rows: rows)
    }

    /// The same as an HTML document in ASCII; all text from the log is escaped.
    package func html() -> String { ReportPage(ReportTables(self)).html }

    /// The figures as one JSON object without a newline, for scripts: not rounded, durations in seconds.
    package func json() -> [UInt8] { ReportJSON(self).bytes }
}
