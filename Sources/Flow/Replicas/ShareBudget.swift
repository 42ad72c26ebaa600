/// The record budget of one client at one replica: a token bucket that fills at the share of the rate that the replica has
/// leased (``RateShare``), which changes while streams draw.
///
/// What is not yet earned is reserved only for a short time ahead. A stream that would have to wait for longer draws again
/// later, because the share may change until then: a lease that begins in an hour would keep its time although the rate has
/// grown, and would be used although it has been returned.
///
/// Invariants (`ShareBudgetTests`, and the simulation):
/// 1. The records of all leases that are due by a time are at most what the shares have brought until then, the credit that
///    was granted, and one second's records, or one record if that is more.
/// 2. Without a share nothing is leased, and nothing that was earned is kept.
/// 3. No lease begins later than ``horizon`` after its draw.
///
/// - Complexity: O(1) for each call.
struct ShareBudget: Sendable {
    /// The longest time from a draw to the beginning of its lease: the store reserves a share for longer than that after its end.
    static let horizon = Duration.milliseconds(40)
    /// The longest time until a stream draws again: demand is measured over at least twice as long.
    private static let longestPause = Duration.milliseconds(100)

    /// Millionths of a record in a second.
    private(set) var share: Int64 = 0
    /// Records that may be sent at once; below zero, those that are leased and not yet earned.
    private var credit = 0.0
    /// Until when `credit` contains what the share has brought.
    private var countedTo: Instant
    /// When the share ends.
    private var shareEnds = Instant.distantPast
    private var rounds = DrawRounds()

    init(at now: Instant) { countedTo = now }

    /// The share is this one from now on, until it ends.
    mutating func follow(_ share: Int64, until end: Instant, at now: Instant) {
        let earningEnd = min(now, shareEnds)
        if earningEnd > countedTo { credit += Double(self.share) / 1e6 * (earningEnd - countedTo).inSeconds }
        countedTo = max(countedTo, now)
        (self.share, shareEnds) = (share, end)
        credit = min(credit, capacity)
    }

    /// Draws for a stream that has used its last lease; the share has to be current (``follow(_:until:at:)``).
    ///
    /// - Parameters:
    ///   - wanted: Records that the stream has or expects within its next 16 ms; at least 1.
    ///   - round: Of the stream's last draw (``DrawRounds``); `nil` for its first.
    ///   - pause: The time until the next draw if there is no share.
    ///   - now: The time.
    /// - Returns: A lease, or the time of the next draw.
    mutating func draw(
        upTo wanted: Int, after round: inout Int64?, pauseWithoutShare pause: Duration, at now: Instant
    ) -> RecordDraw {
        guard share > 0 else { return .later(now + pause) }
        let perSecond = Double(share) / 1e6
        round = rounds.draw(after: round, at: now)
        let part = Int(perSecond * Double(DrawRounds.length) / 1e9) / Int(rounds.streams)
        let records = max(1, min(wanted, part))
        let missing = max(0, Double(records) - credit)
        let wait = Duration.nanoseconds(Int64(min(1e18, missing / perSecond * 1e9).rounded()))
        guard wait <= Self.horizon else { return .later(now + min(wait, Self.longestPause)) }
        credit -= Double(records)
        return .lease(records: records, notBefore: now + wait)
    }

    /// Records of a lease that are not used.
    mutating func giveBack(_ records: Int) { credit = min(capacity, credit + Double(records)) }

    /// Adds credit in millionths of a record, as far as there is room for it.
    mutating func grant(_ credit: Int64) { self.credit = min(capacity, self.credit + Double(credit) / 1e6) }

    /// The records that may be sent at once.
    var remaining: Int64 { Int64(max(0, credit)) }

    /// The same in millionths of a record.
    var unused: Int64 { Int64(max(0, credit) * 1e6) }

    /// Records that an idle client keeps.
    private var capacity: Double { share == 0 ? 0 : max(1, Double(share) / 1e6) }
}
