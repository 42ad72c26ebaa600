/// How many records all streams of one client may get together: a token bucket that is drawn from in leases.
///
/// A stream does not ask for each record. It draws a *lease*, some records and the instant from which they may leave,
/// and comes back when they have. Leases are reserved one behind the other on one line of time, as the generic cell
/// rate algorithm does (ITU-T I.371): streams that always want more come back in turn, each with a lease of the same
/// size, and so get equal shares; a stream that wants less draws less, and the others come round sooner.
///
/// A lease is what a stream's share brings in a *round* of 16 ms, the shares being those of the streams that drew in
/// this round or the last. So a stream draws about once a round at most, the lock of the shell is taken some 60 times
/// a second for each, and nobody waits much longer for others than a round. Where a round brings less than a record for
/// each, a lease is one record.
///
/// Invariants (`RecordBudgetTests`, `RecordBudgetModelTests`):
/// 1. From the budget's beginning, the leases due in `d` seconds, less what was given back, hold at most
///    `rate * d + burst` records; the burst is what one second brings, and at least one record.
/// 2. In any other stretch `d`, what leaves is at most that and the leases that were due before it and not yet used.
/// 3. A budget that has its whole burst is like a new one, and may be forgotten.
///
/// - Complexity: O(1) for each call, without allocation; 40 bytes.
package struct RecordBudget: Sendable {
    /// Records that may leave from an instant on; none before it.
    package struct Lease: Equatable, Sendable {
        package let records: Int
        package let notBefore: Instant
        /// In which round it was drawn, so that a stream that draws twice in one counts once.
        fileprivate let round: Int64
    }

    /// 16 ms: between them, a pause that nobody sees and few enough calls.
    private static let round: Int64 = 16_000_000
    /// The least burst: what the rate brings in one second.
    private static let burst: Int64 = 1_000_000_000

    /// Nanoseconds from one record to the next.
    private var spacing: Int64
    /// When all that was drawn has been paid for; the further it lies in the past, the more may leave at once.
    private var paidAt: Instant
    /// The round of the last draw, and how many streams drew in it and in the one before.
    private var lastRound: Int64 = 0
    private var drawers: Int32 = 0
    private var drawersBefore: Int32 = 0

    /// A budget with its whole burst.
    package init(rate: Rate, at now: Instant) {
        spacing = rate.spacing
        paidAt = .distantPast
        paidAt = paid(at: now)
    }

    /// Another rate, after a reload; what was drawn keeps its instants.
    package mutating func setRate(_ rate: Rate) { spacing = rate.spacing }

    /// Draws a lease for a stream that has used the one before it.
    ///
    /// - Parameters:
    ///   - wanted: Records that the stream has or expects within its next 16 ms; at least 1.
    ///   - last: The stream's last lease, or `nil` for its first.
    ///   - now: The time.
    /// - Returns: 1 to `wanted` records. They are the stream's to use or to give back (``giveBack(_:at:)``).
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

    /// Records of a lease that will not be used, as its stream ends.
    package mutating func giveBack(_ records: Int, at now: Instant) {
        precondition(records >= 0, "nobody gives back what was not drawn")
        let (refund, overflow) = spacing.multipliedReportingOverflow(by: Int64(records))
        paidAt = paidAt.advanced(byNanoseconds: overflow ? -.max : -refund)
        paidAt = paid(at: now)
    }

    /// Whether the running streams use all that there is, so that one more would only make their shares smaller.
    ///
    /// That is when not even one round's records, or one record where that is more, have been left over.
    package func isSpent(at now: Instant) -> Bool { retryAfter(at: now) > .zero }

    /// The time until it is spent no more, if the running streams draw nothing from now on; zero where it is not.
    ///
    /// Sooner it cannot be; later it can, for nobody knows when a running stream will end.
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
        // A loop whose clock is a little behind belongs to the round that has begun; one stream at least is drawing.
        if isFirst || drawers == 0 { drawers += 1 }
    }

    /// When all that was drawn is paid for, with no more than a burst left over.
    private func paid(at now: Instant) -> Instant { max(paidAt, full(at: now)) }

    /// A budget paid for so long ago has its whole burst.
    private func full(at now: Instant) -> Instant { now.advanced(byNanoseconds: -max(Self.burst, spacing)) }
}

extension RecordBudget: Idling {
    /// Whether it has its whole burst.
    package func isIdle(at now: Instant) -> Bool { paidAt <= full(at: now) }
}
