/// A count for each case of an enum that is a metric's label.
///
/// A list, because there are few cases, and hashing one costs more than comparing it with all of them.
package struct CaseCounts<Case: Hashable & Sendable>: Equatable, Sendable {
    private var cases: [Case] = []
    /// Of the case at the same index.
    private var counts: [Int] = []

    package init() {}

    package var total: Int { counts.reduce(0, +) }

    package subscript(name: Case) -> Int {
        get { cases.firstIndex(of: name).map { counts[$0] } ?? 0 }
        set {
            if let index = cases.firstIndex(of: name) {
                counts[index] = newValue
            } else {
                cases.append(name)
                counts.append(newValue)
            }
        }
    }

    package static func += (left: inout CaseCounts, right: CaseCounts) {
        for (name, count) in zip(right.cases, right.counts) { left[name] += count }
    }

    /// Whether both have the same cases with the same counts, in whichever order they were counted first.
    package static func == (left: CaseCounts, right: CaseCounts) -> Bool {
        left.cases.count == right.cases.count
            && zip(left.cases, left.counts).allSatisfy { name, count in
                right.cases.firstIndex(of: name).map { right.counts[$0] == count } ?? false
            }
    }
}
