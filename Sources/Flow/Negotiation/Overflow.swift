/// The behaviour of a full queue: the upstream waits, or records are dropped.
package enum Overflow: String, Hashable, Sendable, CaseIterable {
    /// The upstream waits; nothing is lost.
    case pause
    /// The oldest queued records are dropped until the new one fits: records may be late, by at most the queue's
    /// length.
    case dropOldest = "drop_oldest"
    /// The new record is dropped: the queued records are sent, and the gap is where the client was too slow.
    case dropNewest = "drop_newest"
    /// Only the newest record is kept, or with a key the newest of each key.
    case latest
    /// The stream ends: the upstream does not wait, and no record in the middle is missing.
    case disconnect

    /// Whether records may be dropped.
    package var drops: Bool {
        switch self {
        case .pause, .disconnect: false
        case .dropOldest, .dropNewest, .latest: true
        }
    }
}
