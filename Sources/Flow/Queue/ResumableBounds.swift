/// How the queue and the ``ReplayBuffer`` of a resumable stream share its bounds, so that both together stay within them.
///
///     bound ├── queue ─────────────┼── replay buffer ──────┤
///     the stream has a client:       half each; the replay buffer also has what the queue does not use
///     it is read on without one:     the replay buffer keeps what it has, at most half; the queue has the rest
///
/// Half, because what was sent last may be lost with the connection, and an upstream that fills the queue would otherwise
/// leave no room to keep it.
package struct ResumableBounds: Equatable, Sendable {
    /// A number of records, and of their bytes.
    package struct Size: Equatable, Sendable {
        package var records: Int
        package var bytes: Int

        package init(records: Int, bytes: Int) { (self.records, self.bytes) = (records, bytes) }
    }

    private let total: Size

    /// - Parameter total: The bounds of the stream.
    package init(_ total: Size) { self.total = total }

    /// The bound of the queue while the stream has a client.
    package var queue: Size { Size(records: total.records - half.records, bytes: total.bytes - half.bytes) }

    /// The bound of the queue while the stream is read on without a client: nothing is sent, and the replay buffer does not
    /// grow.
    package func queue(beside kept: Size) -> Size {
        Size(
            records: total.records - min(kept.records, half.records),
            bytes: total.bytes - min(kept.bytes, half.bytes))
    }

    /// The bound of the replay buffer.
    package func replay(beside queued: Size) -> Size {
        Size(
            records: max(half.records, total.records - queued.records),
            bytes: max(half.bytes, total.bytes - queued.bytes))
    }

    private var half: Size { Size(records: total.records / 2, bytes: total.bytes / 2) }
}
