import HTTPText

/// The figures of each name, in bounded memory for any number of names.
///
/// Up to `limit` names are kept, with exact figures. When one more is added, the lighter half (by records, then by
/// requests) is folded into the figures of the others, and its names are removed. A removed name that is added again
/// begins at zero: its figures may be too low, by at most ``shortfall`` records; the sums stay exact. A name whose
/// records exceed that bound is never missed.
struct Groups: Sendable {
    private let limit: Int
    private var indices: [String: Int] = [:]
    private var rows: [(name: String, figures: Figures)] = []
    private var folded = Figures()
    /// The number of names that were folded; one that was added again may count twice.
    private(set) var foldings = 0
    /// The maximum number of records that are missing from a name that is kept.
    private(set) var shortfall = 0

    init(limit: Int) {
        precondition(limit >= 2, "a limit of at least two names")
        self.limit = limit
    }

    /// Names that are kept.
    var count: Int { rows.count }

    mutating func add(_ line: LogLine, to name: String) {
        if let index = indices[name] { return rows[index].figures.add(line) }
        if rows.count == limit { foldLighterHalf() }
        indices[name] = rows.count
        rows.append((name, Figures()))
        rows[rows.count - 1].figures.add(line)
    }

    /// The sum of all names, removed ones included.
    var sum: Figures { rows.reduce(into: folded) { $0.add($1.figures) } }

    /// The heaviest names, and the sum of all others.
    ///
    /// - Complexity: O(n log n) in the names that are kept.
    func ranked(top: Int) -> (rows: [LogReport.Ranking.Row], others: Figures, otherNames: Int) {
        let order = indicesByWeight()
        var others = folded
        for index in order.dropFirst(top) { others.add(rows[index].figures) }
        let heaviest = order.prefix(top)
            .map { LogReport.Ranking.Row(name: rows[$0].name, figures: rows[$0].figures) }
        return (heaviest, others, max(0, order.count - top) + foldings)
    }

    /// Sorts only the compared numbers: figures are large, and copying them would cost more than sorting.
    private func indicesByWeight() -> [Int] {
        let weights = rows.enumerated().map { index, row in
            (records: row.figures.records, requests: row.figures.requests, index: index)
        }
        let sorted = weights.sorted { left, right in
            if left.records != right.records { return left.records > right.records }
            if left.requests != right.requests { return left.requests > right.requests }
            return rows[left.index].name < rows[right.index].name
        }
        return sorted.map(\.index)
    }

    private mutating func foldLighterHalf() {
        let order = indicesByWeight()
        let kept = order.prefix(limit / 2).map { rows[$0] }
        let heaviestFolded = rows[order[limit / 2]].figures.records
        for index in order.dropFirst(limit / 2) { folded.add(rows[index].figures) }
        foldings += rows.count - kept.count
        shortfall.addUpToMost(heaviestFolded)
        rows = kept
        indices = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.name, $0) })
    }
}
