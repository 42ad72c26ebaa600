import Flow

/// The state of one shared request as an operator's overview shows it.
package struct PullSummary: Sendable {
    package var route: String
    /// The path that its readers requested, without the query; shortened if it is long.
    package var path: String
    /// `nil` before its head.
    package var upstream: String?
    /// Streams that read from it, on all loops.
    package var readers = 0
    /// Retained records.
    package var records: Int
    /// The memory of the retained records.
    package var bytes: Int
    /// The records by which its slowest reader is behind.
    package var lag = 0
    /// Whether it waits for its readers.
    package var isPaused: Bool
    package var lasted: Duration
}

/// The shared requests of the process: each is on one loop, and has readers on any.
package struct PullSummaries: Sendable {
    static let most = 50

    private struct Readers {
        var count = 0
        var lag = 0
    }

    private var pulls: [PullId: PullSummary] = [:]
    private var readers: [PullId: Readers] = [:]

    package init() {}

    /// Those with the most readers first; at most 50.
    ///
    /// - Complexity: O(n log n).
    package var summaries: [PullSummary] {
        let all = pulls.map { id, pull in
            var pull = pull
            (pull.readers, pull.lag) = (readers[id]?.count ?? 0, readers[id]?.lag ?? 0)
            return pull
        }
        return Array(all.sorted { ($1.readers, $0.path) < ($0.readers, $1.path) }.prefix(Self.most))
    }

    mutating func add(_ pull: PullSummary, _ id: PullId) { pulls[id] = pull }

    /// Adds the readers of one loop.
    mutating func add(readers count: Int, lag: Int, of id: PullId) {
        readers[id, default: Readers()].count += count
        readers[id, default: Readers()].lag = max(readers[id]?.lag ?? 0, lag)
    }

    static func += (left: inout PullSummaries, right: PullSummaries) {
        left.pulls.merge(right.pulls) { $1 }
        for (id, readers) in right.readers { left.add(readers: readers.count, lag: readers.lag, of: id) }
    }
}

/// The identity of one pull, on all loops.
final class PullId: Sendable {}

extension PullId: Hashable {
    static func == (left: PullId, right: PullId) -> Bool { left === right }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
