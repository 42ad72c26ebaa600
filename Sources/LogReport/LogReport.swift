package import Observability

/// What some access logs come to.
package struct LogReport: Equatable, Sendable {
    /// From when the first request was read until the last one ended.
    package struct Period: Equatable, Sendable {
        package let from: Timestamp
        package let to: Timestamp

        package var microseconds: Int { Int(to.millisecondsSince1970 - from.millisecondsSince1970) * 1000 }
    }

    /// The heaviest names by records, and the rest in one.
    package struct Ranking: Equatable, Sendable {
        package struct Row: Equatable, Sendable {
            package let name: String
            package let figures: Figures
        }

        package let rows: [Row]
        package let others: Figures
        /// Names that are not among the rows; where some were forgotten, one that came again may count twice.
        package let otherNames: Int
        /// The figures of a row may be too low by so many records; zero where nothing had to be forgotten.
        package let shortfall: Int
        /// Whether names had to be forgotten to bound the memory.
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

    /// `nil` where no line counted.
    package let period: Period?
    package let lines: LineCounts
    package let totals: Figures
    package let routes: Ranking
    package let clients: Ranking

    var periodMicroseconds: Int { period?.microseconds ?? 0 }
}
