/// What happens when a stream's queue is full: who waits, or what is lost.
package enum Overflow: String, Hashable, Sendable, CaseIterable {
    /// The upstream waits; nothing is lost.
    case pause
    /// The oldest queued records go until the new one fits: what is sent is late, but never stale by more than the queue.
    case dropOldest = "drop_oldest"
    /// The new record goes: what was queued first is sent first, and the gap is where the client was too slow.
    case dropNewest = "drop_newest"
    /// Only the newest record stays, or with a key the newest of each key.
    case latest
    /// The stream ends; nobody waits and nothing is missing in the middle.
    case disconnect

    /// Whether records may be lost on the way.
    package var drops: Bool {
        switch self {
        case .pause, .disconnect: false
        case .dropOldest, .dropNewest, .latest: true
        }
    }
}
