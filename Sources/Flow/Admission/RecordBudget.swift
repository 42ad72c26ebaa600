/// The rate of records of all streams of one client together: a token bucket from which streams draw leases.
///
/// A stream does not draw for each record. It draws a *lease*, a number of records and the instant from which they may
/// be sent, and draws the next one when they have been sent. Leases are reserved one after the other on one time line,
/// as the generic cell rate algorithm does (ITU-T I.371): streams that always want more take turns, each with a lease
/// of the same size, and so get equal shares; a stream that wants less draws less, and the others get their turns
/// sooner.
///
/// A lease is a stream's share of a *round* of 16 ms, divided among the streams that drew in this round or the last. So
/// a stream draws at most about once a round, the shell takes the lock some 60 times a second for each, and no stream
/// waits much longer than a round for others. If a round brings less than a record for each, a lease is one record.
///
/// Invariants (`RecordBudgetTests`, `RecordBudgetModelTests`):
/// 1. From the budget's beginning, the leases due in `d` seconds, minus the records given back, hold at most `rate * d
///    + burst` records; the burst is the records of one second, and at least one record.
/// 2. In any other interval `d`, at most that number is sent, plus the leases that were due before it and not yet used.
/// 3. A budget with its whole burst equals a new one, and may be removed.
///
/// - Complexity: O(1) for each call, without allocation; 40 bytes.
package struct RecordBudget: Sendable {
    /// Records that may be sent from an instant on; none before it.
    package struct Lease: Equatable, Sendable {
        package let records: Int
        package var notBefore: Instant
        /// The round of the draw, so that a stream that draws twice in one counts once.
        fileprivate let round: Int64
    }

    /// 16 ms: a pause that is not noticed, and few enough calls.
    private static let round: Int64 = 16_000_000
    /// The minimum burst: the records of one second.
    private static let burst: Int64 = 1_000_000_000

    /// Nanoseconds from one record to the next.
    private var spacing: Int64
    /// When everything drawn is paid for; the further it lies in the past, the more records may be sent at once.
    private var paidAt: Instant
    /// The round of the last draw, and the number of streams that drew in it and in the one before.
    private var lastRound: Int64 = 0
    private var drawers: Int32 = 0
    private var drawersBefore: Int32 = 0

    /// A budget with its whole burst.
    package init(rate: Rate, at now: Instant) {
        spacing = rate.spacing
        paidAt = .distantPast
        paidAt = paid(at: now)
    }

    /// Sets another rate, after a reload; leases that were drawn keep their instants.
    package mutating func setRate(_ rate: Rate) { spacing = rate.spacing }

    /// Draws a lease for a stream that has used its last one.
    ///
    /// - Parameters:
    ///   - wanted: Records that the stream has or expects within its next 16 ms; at least 1.
    ///   - last: The stream's last lease, or `nil` for its first.
    ///   - now: The time.
    /// - Returns: 1 to `wanted` records. The stream uses them or gives them back (``giveBack(_:at:)``).
    package mutating func draw(upTo wanted: Int, after last: Lease?, at now: Instant) -> Lease {
        precondition(wanted >= 1, "a lease of no record")
        let round = now.nanoseconds / Self.round
        enter(round, isFirst: last?.round != round)
        let share = Self.round / spacing / Int64(max(drawers, drawersBefore))
        let records = max(1, min(Int64(wanted), share))
        // A round brings at most 16,000,000 records, and one record takes at most 3.6e18 ns.
        paidAt = paid(at: now).advanced(byNanoseconds: records * spacing)
        return Lease(records: Int(records), notBefore: paidAt, round: round)
    }

    /// Records of a lease that are not used, because its stream ends.
    package mutating func giveBack(_ records: Int, at now: Instant) {
        precondition(records >= 0, "a negative number of records is given back")
        let (refund, overflow) = spacing.multipliedReportingOverflow(by: Int64(records))
        paidAt = paidAt.advanced(byNanoseconds: overflow ? -.max : -refund)
        paidAt = paid(at: now)
    }

    /// Whether the open streams use all records, so that one more would only make their shares smaller.
    ///
    /// That is if less than the records of one round, or less than one record if that is more, remains.
    package func isSpent(at now: Instant) -> Bool { retryAfter(at: now) > .zero }

    /// The time until it is no longer spent if the open streams draw nothing from now on; zero if it is not spent.
    ///
    /// This is the minimum: the ends of the open streams are not known.
    package func retryAfter(at now: Instant) -> Duration {
        max(.zero, paidAt.advanced(byNanoseconds: max(Self.round, spacing)) - now)
    }

    /// Counts the streams of a round.
    private mutating func enter(_ round: Int64, isFirst: Bool) {
        if round > lastRound {
            drawersBefore = round == lastRound + 1 ? drawers : 0
            drawers = 0
            lastRound = round
        }
        // A loop whose clock is slightly late belongs to the round that has begun; at least one stream is drawing.
        if isFirst || drawers == 0 { drawers += 1 }
    }

    /// When everything drawn is paid for, with at most a burst in reserve.
    private func paid(at now: Instant) -> Instant { max(paidAt, full(at: now)) }

    /// A budget that was paid for at this instant or earlier has its whole burst.
    private func full(at now: Instant) -> Instant { now.advanced(byNanoseconds: -max(Self.burst, spacing)) }
}

extension RecordBudget: Idling {
    /// Whether it has its whole burst.
    package func isIdle(at now: Instant) -> Bool { paidAt <= full(at: now) }
}
