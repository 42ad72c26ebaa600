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
///    + burst` records; the burst is that of the allowance, or the records of one second, and at least one record.
/// 2. In any other interval `d`, at most that number is sent, plus the leases that were due before it and not yet used.
/// 3. A budget with its whole burst and its whole quota equals a new one, and may be removed.
/// 4. Within a window of the quota no more than the quota is due (``QuotaUse``).
/// 5. What is charged beyond the leases delays the later ones by the time that it takes at the rate, or to a later window.
///
/// - Complexity: O(1) for each call, without allocation; 96 bytes.
package struct RecordBudget: Sendable {
    /// Records that may be sent from an instant on; none before it.
    package struct Lease: Equatable, Sendable {
        package let records: Int
        package var notBefore: Instant
        /// The round of the draw (``DrawRounds``).
        let round: Int64
    }

    /// Records of a round without a rate: few enough to be divided among the streams, and for a quota's last records.
    private static let unpaced: Int64 = 1024

    /// Nanoseconds from one record to the next; zero without a rate.
    private var spacing: Int64
    /// The time in which the burst is paid for, in nanoseconds.
    private var reserve: Int64
    private var quota: RecordQuota?
    private var use = QuotaUse()
    /// When everything drawn is paid for; the further it lies in the past, the more records may be sent at once.
    private var paidAt: Instant
    private var rounds = DrawRounds()

    /// A budget with its whole burst.
    package init(_ allowance: RecordAllowance, at now: Instant) {
        (spacing, reserve, quota) = (allowance.spacing, allowance.reserve, allowance.quota)
        paidAt = .distantPast
        paidAt = paid(at: now)
    }

    /// Sets another allowance, after a reload; leases that were drawn keep their instants, and what was used of a quota
    /// counts for the new one.
    package mutating func apply(_ allowance: RecordAllowance) {
        (spacing, reserve, quota) = (allowance.spacing, allowance.reserve, allowance.quota)
    }

    /// Draws a lease for a stream that has used its last one.
    ///
    /// - Parameters:
    ///   - wanted: Records that the stream has or expects within its next 16 ms; at least 1.
    ///   - last: The stream's last lease, or `nil` for its first.
    ///   - now: The time.
    /// - Returns: 1 to `wanted` records. The stream uses them or gives them back (``giveBack(_:at:)``).
    package mutating func draw(upTo wanted: Int, after last: Lease?, at now: Instant) -> Lease {
        precondition(wanted >= 1, "a lease of no record")
        let round = rounds.draw(after: last?.round, at: now)
        let all = spacing > 0 ? DrawRounds.length / spacing : Self.unpaced
        let share = all / rounds.streams
        var records = max(1, min(Int64(wanted), share)), window = Instant.distantPast
        if let quota { (records, window) = use.draw(upTo: records, of: quota, at: now) }
        // A round brings at most 16,000,000 records, and one record takes at most 8.6e18 ns.
        paidAt = paid(at: now).advanced(byNanoseconds: records * spacing)
        return Lease(records: Int(records), notBefore: max(paidAt, window), round: round)
    }

    /// Records of a lease that are not used, because its stream ends.
    package mutating func giveBack(_ records: Int, at now: Instant) {
        precondition(records >= 0, "a negative number of records is given back")
        let (refund, overflow) = spacing.multipliedReportingOverflow(by: Int64(records))
        paidAt = paidAt.advanced(byNanoseconds: overflow ? -.max : -refund)
        paidAt = paid(at: now)
        use.giveBack(records)
    }

    /// Units that were sent beyond a lease, because a record weighed more: a debt, which delays all later leases.
    ///
    /// It may be larger than the burst and the quota; it is bounded by the weight of a record for each stream.
    package mutating func charge(_ units: Int, at now: Instant) {
        precondition(units >= 0, "a negative number of units is charged")
        let (time, overflow) = spacing.multipliedReportingOverflow(by: Int64(units))
        paidAt = paid(at: now).advanced(byNanoseconds: overflow ? .max : time)
        if let quota { use.charge(units, of: quota, at: now) }
    }

    /// Whether the open streams use all records, so that one more would only make their shares smaller.
    ///
    /// That is if less than the records of one round, or less than one record if that is more, remains, or no record of
    /// the quota.
    package func isSpent(at now: Instant) -> Bool { retryAfter(at: now) > .zero }

    /// The time until it is no longer spent if the open streams draw nothing from now on; zero if it is not spent.
    ///
    /// This is the minimum: the ends of the open streams are not known.
    package func retryAfter(at now: Instant) -> Duration { max(rateWait(at: now), quotaWait(at: now)) }

    /// The exact time until the quota has a record; zero if it has one now, and without a quota.
    package func quotaWait(at now: Instant) -> Duration { quota.map { use.wait(for: $0, at: now) } ?? .zero }

    private func rateWait(at now: Instant) -> Duration {
        // A burst below the records of a round never has more than itself.
        spacing == 0
            ? .zero : max(.zero, paidAt.advanced(byNanoseconds: min(reserve, max(DrawRounds.length, spacing))) - now)
    }

    /// What remains of each part of the allowance.
    package func quotas(at now: Instant) -> RecordQuotas {
        var quotas = RecordQuotas()
        if spacing > 0 {
            let debt = (paidAt - full(at: now)).nanoseconds
            quotas.rate = RecordQuotas.Part(
                limit: reserve / spacing, seconds: Duration.nanoseconds(reserve).retryAfterSeconds,
                remaining: max(0, reserve - max(0, debt)) / spacing,
                resetSeconds: debt <= 0 ? 0 : Duration.nanoseconds(debt).retryAfterSeconds)
        }
        if let quota {
            let reset = use.reset(of: quota, at: now)
            quotas.quota = RecordQuotas.Part(
                limit: Int64(quota.records), seconds: Int(quota.window.seconds),
                remaining: Int64(use.remaining(of: quota, at: now)),
                resetSeconds: reset == .zero ? 0 : reset.retryAfterSeconds)
        }
        return quotas
    }

    /// When everything drawn is paid for, with at most a burst in reserve.
    private func paid(at now: Instant) -> Instant { max(paidAt, full(at: now)) }

    /// A budget that was paid for at this instant or earlier has its whole burst.
    private func full(at now: Instant) -> Instant { now.advanced(byNanoseconds: -reserve) }
}

extension RecordBudget: Idling {
    /// Whether it has its whole burst and its whole quota.
    package func isIdle(at now: Instant) -> Bool {
        paidAt <= full(at: now) && (quota.map { use.reset(of: $0, at: now) == .zero } ?? true)
    }
}
