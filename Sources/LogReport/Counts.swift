import Flow

/// A type with few values, whose counts are in an array.
protocol Counted: Equatable, Sendable {
    static var kinds: [Self] { get }
}

extension Outcome: Counted {
    static let kinds = allCases
}

extension Problem.Kind: Counted {
    static let kinds = allCases
}

extension UpstreamCause: Counted {
    static let kinds = allCases
}

/// A count for each case of an enum, and one for other values; no memory is held before the first count.
struct Counts<Key: Counted>: Equatable, Sendable {
    private var counts: [Int] = []

    subscript(key: Key?) -> Int { counts.isEmpty ? 0 : counts[Self.index(of: key)] }

    mutating func add(_ key: Key?) {
        makeRoom()
        counts[Self.index(of: key)] += 1
    }

    mutating func add(_ other: Counts) {
        guard !other.counts.isEmpty else { return }
        makeRoom()
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    private mutating func makeRoom() {
        if counts.isEmpty { counts = Array(repeating: 0, count: Key.kinds.count + 1) }
    }

    private static func index(of key: Key?) -> Int {
        key.flatMap { Key.kinds.firstIndex(of: $0) } ?? Key.kinds.count
    }
}
