/// How full a stream's queue is, as far as anybody has to act on it.
package enum QueueLevel: Equatable, Sendable, CaseIterable {
    /// At most half full, in records and in bytes: at the low mark an upstream that was paused is read again, and under
    /// the soft mark, which is the same, no client is behind.
    case low
    case middle
    /// At the high mark: the upstream must wait.
    case full
}
