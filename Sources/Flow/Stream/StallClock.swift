/// Distinguishes a slow consumer from a client that waits: it runs only while the client does not take bytes that it
/// was offered.
///
///     offered, not all taken ───────────────────────────▶ blocked
///     blocked, and nothing of it taken for `limit` ─────▶ slow: it does not read
///     blocked, and the queue over its soft mark
///       for `limit` without once catching up ───────────▶ slow: it reads slower than records are due
///
/// Invariants (`StallClockTests`):
/// 1. A client that has taken all offered bytes is never slow, however long it waits for the pace, for its own pause or
///    for the upstream.
/// 2. Any bytes that its kernel takes restart the first clock; the second is restarted when the queue falls to the soft
///    mark, when the client has taken all records that were due, or after a ``Delivery/step`` within a large record.
///    Only whole records leave the queue, so without the last rule a steady reader would be slow only because its
///    records are large.
/// 3. It is slow no earlier than `limit`, and no later than `limit` and an eighth, after its last progress.
package struct StallClock: Equatable, Sendable {
    /// `nil` if no client is ever slow.
    private var limit: TimeLimit?
    /// Until then the queue may stay over its soft mark: what fills it arrived while there was no client.
    private let catchesUpUntil: Instant
    /// When bytes were offered of which nothing was taken.
    private var unreadSince: Instant?
    /// When the client was blocked with the queue over the soft mark; it has not caught up since.
    private var behindSince: Instant?
    /// The bytes that the client's socket had taken when the second clock began, and at the last event.
    private var sentBefore = 0
    private var sent = 0
    /// The bytes above ``sentBefore`` that restart the second clock; `nil` if only the queue does.
    private var step: Int?
    /// The bytes that the client's kernel had taken at the last check, and when the next check is due.
    private var taken: Int?
    private var nextCheck = Instant.distantFuture

    package init(limit: TimeLimit?, catchesUpUntil: Instant = .distantPast) {
        (self.limit, self.catchesUpUntil) = (limit, catchesUpUntil)
    }

    /// Whether bytes are offered that the client has not taken.
    package var isBlocked: Bool { unreadSince != nil }

    /// Sets another limit, also for the clocks that run.
    package mutating func setLimit(_ limit: TimeLimit?, at now: Instant) {
        self.limit = limit
        if isBlocked { checkAgain(after: now) }
    }

    // MARK: Events

    /// The client's socket did not take all offered bytes.
    ///
    /// Without a delivery, only the queue's level is known.
    package mutating func blocked(isOverSoftMark: Bool, delivery: Delivery? = nil, at now: Instant) {
        if unreadSince == nil {
            unreadSince = now
            taken = nil
            checkAgain(after: now)
        }
        step = delivery?.step
        note(delivery, at: now)
        queueChanged(isOverSoftMark: isOverSoftMark, at: now)
    }

    /// The queue grew or shrank.
    package mutating func queueChanged(isOverSoftMark: Bool, at now: Instant) {
        if !isOverSoftMark {
            behindSince = nil
        } else if behindSince == nil, isBlocked {
            behindSince = max(now, catchesUpUntil)
            sentBefore = sent
        }
    }

    private mutating func note(_ delivery: Delivery?, at now: Instant) {
        guard let delivery else { return }
        sent = delivery.sent
        guard behindSince != nil, let step, sent - sentBefore >= step else { return }
        behindSince = max(now, catchesUpUntil)
        sentBefore = sent
    }

    /// The client's socket took all offered bytes; more may be due at once.
    package mutating func took() {
        unreadSince = nil
        nextCheck = .distantFuture
    }

    /// The client has all records that are due: it waits for the pace, for itself or for the upstream.
    package mutating func caughtUp() { behindSince = nil }

    /// Restarts both clocks.
    package mutating func restart(at now: Instant) {
        guard isBlocked else { return behindSince = nil }
        unreadSince = now
        if behindSince != nil {
            behindSince = max(now, catchesUpUntil)
            sentBefore = sent
        }
        checkAgain(after: now)
    }

    /// The number of bytes of the response that the client's kernel has taken; to be called when `nextDeadline` has
    /// passed.
    package mutating func looked(taken now: Int, delivery: Delivery? = nil, at instant: Instant) {
        guard isBlocked else { return }
        note(delivery, at: instant)
        if let taken, now > taken { unreadSince = instant }
        taken = now
        checkAgain(after: instant)
    }

    // MARK: Time

    /// When to check how much the client has taken, or to end it as slow.
    package var nextDeadline: Instant {
        guard let limit, isBlocked else { return .distantFuture }
        return min(nextCheck, .end(of: unreadSince, limit), .end(of: behindSince, limit))
    }

    /// Whether a clock has reached the limit.
    package func isSlow(at now: Instant) -> Bool {
        guard let limit, isBlocked else { return false }
        return now >= min(.end(of: unreadSince, limit), .end(of: behindSince, limit))
    }

    private mutating func checkAgain(after now: Instant) {
        nextCheck = .end(of: now, limit.map { $0 / 8 })
    }
}
