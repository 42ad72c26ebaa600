/// A count for each status code of responses, in memory only for those that occur.
struct StatusCounts: Equatable, Sendable {
    /// In ascending order of the codes.
    private(set) var counts: [(code: Int, count: Int)] = []

    /// Adds to the count of a code; one that is not from 100 to 999, such as 0 for no response, is not counted.
    mutating func add(_ code: Int, _ count: Int = 1) {
        guard (100...999).contains(code) else { return }
        let index = counts.firstIndex { $0.code >= code } ?? counts.endIndex
        if index == counts.endIndex || counts[index].code != code { counts.insert((code, 0), at: index) }
        counts[index].count += count
    }

    mutating func add(_ other: StatusCounts) {
        for (code, count) in other.counts { add(code, count) }
    }

    subscript(code: Int) -> Int { counts.first { $0.code == code }?.count ?? 0 }

    static func == (left: StatusCounts, right: StatusCounts) -> Bool {
        left.counts.elementsEqual(right.counts) { $0 == $1 }
    }
}
