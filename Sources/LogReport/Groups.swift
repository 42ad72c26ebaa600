/// The figures of each name, in bounded memory however many names there are.
///
/// Up to `limit` names are kept, and all of their figures are exact. When one more comes, the lighter half (by records,
/// then by requests) is folded into the others' figures, and its names are forgotten. A name that comes again begins
/// anew: from then on its figures may be too low, by at most ``shortfall`` records; the sums stay exact. A name whose
/// records exceed that bound is never missed.
struct Groups: Sendable {
    private let limit: Int
    private var places: [String: Int] = [:]
    private var rows: [(name: String, figures: Figures)] = []
    private var folded = Figures()
    /// How many times a name was folded; one that came again may count twice.
    private(set) var foldings = 0
    /// The most records that can be missing from a name that is kept.
    private(set) var shortfall = 0

    init(limit: Int) {
        precondition(limit >= 2, "the lighter half of one name is none")
        self.limit = limit
    }

    /// Names that are kept.
    var count: Int { rows.count }

    mutating func add(_ line: LogLine, to name: String) {
        if let place = places[name] { return rows[place].figures.add(line) }
        if rows.count == limit { foldLighterHalf() }
        places[name] = rows.count
        rows.append((name, Figures()))
        rows[rows.count - 1].figures.add(line)
    }

    /// What all names come to, those that were forgotten too.
    var sum: Figures { rows.reduce(into: folded) { $0.add($1.figures) } }

    /// The heaviest names, and what all others come to.
    ///
    /// - Complexity: O(n log n) in the names that are kept.
    func ranked(top: Int) -> (rows: [LogReport.Ranking.Row], others: Figures, otherNames: Int) {
        let order = placesByWeight()
        var others = folded
        for place in order.dropFirst(top) { others.add(rows[place].figures) }
        let heaviest = order.prefix(top)
            .map { LogReport.Ranking.Row(name: rows[$0].name, figures: rows[$0].figures) }
        return (heaviest, others, max(0, order.count - top) + foldings)
    }

    /// Sorts what is compared alone: figures are large, and copying them would cost more than the order.
    private func placesByWeight() -> [Int] {
        let weights = rows.enumerated().map { place, row in
            (records: row.figures.records, requests: row.figures.requests, place: place)
        }
        let sorted = weights.sorted { left, right in
            if left.records != right.records { return left.records > right.records }
            if left.requests != right.requests { return left.requests > right.requests }
            return rows[left.place].name < rows[right.place].name
        }
        return sorted.map(\.place)
    }

    private mutating func foldLighterHalf() {
        let order = placesByWeight()
        let kept = order.prefix(limit / 2).map { rows[$0] }
        let heaviestFolded = rows[order[limit / 2]].figures.records
        for place in order.dropFirst(limit / 2) { folded.add(rows[place].figures) }
        foldings += rows.count - kept.count
        shortfall.addUpToMost(heaviestFolded)
        rows = kept
        places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.name, $0) })
    }
}
