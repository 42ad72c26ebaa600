/// The streams without a client that a request can find by its ``ResumptionKey``.
///
/// Bounded by the open streams, of which each is added at most once.
package struct DetachedStreams: Sendable {
    /// The streams of one key that a request is compared with; clients that have more resume the others by their ids.
    package static let mostPerKey = 8

    /// Of each key the oldest first; no key without a stream.
    private var streams: [ResumptionKey: [StreamId]] = [:]

    package init() {}

    package var isEmpty: Bool { streams.isEmpty }

    /// The streams of a key, the one that lost its client last first.
    package func streams(of key: ResumptionKey) -> [StreamId] { streams[key]?.reversed() ?? [] }

    /// A stream has lost its client; if its key has too many, the oldest cannot be found any more.
    package mutating func add(_ stream: StreamId, of key: ResumptionKey) {
        var others = streams[key] ?? []
        if others.count == Self.mostPerKey { others.removeFirst() }
        others.append(stream)
        streams[key] = others
    }

    /// A stream has a client again, or has ended; nothing changes if it was not added.
    package mutating func remove(_ stream: StreamId, of key: ResumptionKey) {
        guard var others = streams[key] else { return }
        others.removeAll { $0 == stream }
        streams[key] = others.isEmpty ? nil : others
    }
}
