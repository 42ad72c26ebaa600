/// The streams without a client that a request can find by its ``ResumptionKey``.
///
/// Bounded by the open streams, of which each is added at most once.
package struct DetachedStreams: Sendable {
    private struct Entry {
        let stream: StreamId
        /// Requests that it was compared with.
        var comparisons = 0
    }

    /// The streams of one key that a request is compared with; clients that have more resume the others by their ids.
    package static let mostPerKey = 8
    /// The requests that a stream is compared with: each comparison reads all that it keeps, before the request is admitted.
    package static let mostComparisons = 8

    /// Of each key the oldest first; no key without a stream.
    private var streams: [ResumptionKey: [Entry]] = [:]

    package init() {}

    package var isEmpty: Bool { streams.isEmpty }

    /// The streams to compare a request with, the one that lost its client last first.
    package mutating func candidates(of key: ResumptionKey) -> [StreamId] {
        guard var entries = streams[key] else { return [] }
        let candidates = entries.reversed().map(\.stream)
        for index in entries.indices { entries[index].comparisons += 1 }
        entries.removeAll { $0.comparisons == Self.mostComparisons }
        streams[key] = entries.isEmpty ? nil : entries
        return candidates
    }

    /// A stream has lost its client; if its key has too many, the oldest cannot be found any more.
    package mutating func add(_ stream: StreamId, of key: ResumptionKey) {
        var entries = streams[key] ?? []
        if entries.count == Self.mostPerKey { entries.removeFirst() }
        entries.append(Entry(stream: stream))
        streams[key] = entries
    }

    /// A stream has a client again, or has ended; nothing changes if it is not here.
    package mutating func remove(_ stream: StreamId, of key: ResumptionKey) {
        guard var entries = streams[key] else { return }
        entries.removeAll { $0.stream == stream }
        streams[key] = entries.isEmpty ? nil : entries
    }
}
