/// Under `lag: wait`, how long a reader has kept the pull waiting without taking a record.
///
/// Each reader can stop all others there: by a slow pace, by a pause, or because it has no client. ``StallClock`` does not run
/// then, since such a reader leaves nothing unread that was written to it. It runs for a client that does not read; this
/// clock does not.
///
/// Invariants (`HoldClockTests`):
/// 1. A reader that takes a record within the limit, or for which the pull does not wait, is never over it.
/// 2. Looked at as often as ``nextLook(after:limit:)`` says, any other is over it no earlier than the limit, and no later than
///    the limit and two eighths, after its last record.
package struct HoldClock: Sendable {
    private var record = 0
    /// When it was first seen to hold the pull at `record`.
    private var since: Instant?

    package init() {}

    /// Looks at the reader.
    ///
    /// - Parameters:
    ///   - record: The number of its next record; `nil` if the pull does not wait for it, or its client does not read.
    ///   - limit: For how long it may keep the pull waiting.
    ///   - now: The time.
    /// - Returns: Whether it has done so for that long.
    package mutating func looked(at record: Int?, limit: TimeLimit, at now: Instant) -> Bool {
        guard let record else {
            since = nil
            return false
        }
        if since != nil, self.record == record { return now >= .end(of: since, limit) }
        (self.record, since) = (record, now)
        return false
    }

    /// When to look again while the pull waits.
    package static func nextLook(after now: Instant, limit: TimeLimit) -> Instant { .end(of: now, limit / 8) }
}
