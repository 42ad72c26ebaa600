/// Tells a slow consumer from a client that waits: it runs only while the client leaves bytes that it was offered.
///
///     offered, not all taken ───────────────────────────▶ held up
///     held up, and nothing of it taken for `limit` ─────▶ slow: it does not read
///     held up, and the queue over its soft mark
///       for `limit` without once catching up ───────────▶ slow: it reads less than is due
///
/// Invariants (`StallClockTests`):
/// 1. A client that has taken everything offered is never slow, however long it waits for the pace, for its own pause or
///    for the upstream.
/// 2. Whatever its kernel takes sets back the first clock; falling to the soft mark, having taken all that was due, or a
///    ``Delivery/step`` within a large record, sets back the second. Whole records leave the queue, so without the last a
///    steady reader would be slow by the size of its records.
/// 3. It is found slow no earlier than `limit`, and no later than `limit` and an eighth after its last progress.
package struct StallClock: Equatable, Sendable {
    /// In nanoseconds; `nil` where no client is ever slow.
    private var limit: Int64?
    /// Since when bytes are offered of which nothing was taken.
    private var unreadSince: Instant?
    /// Since when the client has been held up with the queue over the soft mark, and has not caught up.
    private var behindSince: Instant?
    /// What the client's socket had taken when the second clock began, and at the last event.
    private var sentBefore = 0
    private var sent = 0
    /// How much more than ``sentBefore`` sets the second clock back; `nil` where only the queue does.
    private var step: Int?
    /// The bytes that the client's kernel had taken at the last look, and when the next look is due.
    private var taken: Int?
    private var nextLook = Instant.distantFuture

    package init(limit: Int64?) { self.limit = limit }

    /// Whether bytes are offered that the client has not taken.
    package var isHeldUp: Bool { unreadSince != nil }

    /// Another limit counts from now on, for what is held against the client already as well.
    package mutating func setLimit(_ limit: Int64?, at now: Instant) {
        self.limit = limit
        if isHeldUp { lookAgain(after: now) }
    }

    // MARK: Events

    /// The client's socket did not take all that was offered.
    ///
    /// Without a delivery, only the queue's level is known.
    package mutating func heldUp(isOverSoftMark: Bool, delivery: Delivery? = nil, at now: Instant) {
        if unreadSince == nil {
            unreadSince = now
            taken = nil
            lookAgain(after: now)
        }
        step = delivery?.step
        note(delivery, at: now)
        queueChanged(isOverSoftMark: isOverSoftMark, at: now)
    }

    /// The queue grew or shrank.
    package mutating func queueChanged(isOverSoftMark: Bool, at now: Instant) {
        if !isOverSoftMark {
            behindSince = nil
        } else if behindSince == nil, isHeldUp {
            behindSince = now
            sentBefore = sent
        }
    }

    private mutating func note(_ delivery: Delivery?, at now: Instant) {
        guard let delivery else { return }
        sent = delivery.sent
        guard behindSince != nil, let step, sent - sentBefore >= step else { return }
        behindSince = now
        sentBefore = sent
    }

    /// The client's socket took all that was offered; more may be due at once.
    package mutating func took() {
        unreadSince = nil
        nextLook = .distantFuture
    }

    /// The client has everything that is due: it waits for the pace, for itself or for the upstream.
    package mutating func caughtUp() { behindSince = nil }

    /// What was held against the client so far is forgiven; both clocks begin anew.
    package mutating func restart(at now: Instant) {
        guard isHeldUp else { return behindSince = nil }
        unreadSince = now
        if behindSince != nil {
            behindSince = now
            sentBefore = sent
        }
        lookAgain(after: now)
    }

    /// The client's kernel has taken so many bytes of the response until now; to be told when `nextDeadline` has come.
    package mutating func looked(taken now: Int, delivery: Delivery? = nil, at instant: Instant) {
        guard isHeldUp else { return }
        note(delivery, at: instant)
        if let taken, now > taken { unreadSince = instant }
        taken = now
        lookAgain(after: instant)
    }

    // MARK: Time

    /// When to look how much the client has taken, or to find it slow.
    package var nextDeadline: Instant {
        guard let limit, isHeldUp else { return .distantFuture }
        return min(nextLook, Self.end(of: unreadSince, limit), Self.end(of: behindSince, limit))
    }

    package func isSlow(at now: Instant) -> Bool {
        guard let limit, isHeldUp else { return false }
        return now >= min(Self.end(of: unreadSince, limit), Self.end(of: behindSince, limit))
    }

    private static func end(of since: Instant?, _ limit: Int64) -> Instant {
        since?.advanced(byNanoseconds: limit) ?? .distantFuture
    }

    private mutating func lookAgain(after now: Instant) {
        nextLook = limit.map { now.advanced(byNanoseconds: max(1, $0 / 8)) } ?? .distantFuture
    }
}
