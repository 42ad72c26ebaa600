/// A count for each case of an enum that is a metric's label.
package struct CaseCounts<Case: Hashable & Sendable>: Equatable, Sendable {
    private var counts: [Case: Int] = [:]

    package init() {}

    package var total: Int { counts.values.reduce(0, +) }

    package subscript(name: Case) -> Int {
        get { counts[name, default: 0] }
        set { counts[name] = newValue }
    }

    package static func += (left: inout CaseCounts, right: CaseCounts) {
        for (name, count) in right.counts { left[name] += count }
    }
}
