/// The streams with the fullest queues; holds at most twice the number that it returns.
package struct SlowestStreams: Sendable {
    static let most = 50

    private var kept: [StreamSummary] = []

    package init() {}

    /// The slowest first; at most 50.
    ///
    /// - Complexity: O(n log n), of at most 100.
    package var streams: [StreamSummary] { Array(kept.sorted { $0.isSlower(than: $1) }.prefix(Self.most)) }

    mutating func add(_ stream: StreamSummary) {
        kept.append(stream)
        if kept.count >= 2 * Self.most { kept = streams }
    }

    static func += (left: inout SlowestStreams, right: SlowestStreams) {
        for stream in right.kept { left.add(stream) }
    }
}
