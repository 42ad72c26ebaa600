/// Lets records pass at a pace: the generic cell rate algorithm (ITU-T I.371), told the time.
///
/// Within any stretch of time `d`, at most `burst + (d + lateness) / spacing` records pass. The lateness is ours, not the
/// client's: when records were already waiting and the loop woke a little after they were due, the next one is due as
/// if it had woken in time. Without that, every late wake-up would lengthen the gap and a stream granted 10/second
/// would run at 9.9.
package struct Meter: Sendable {
    /// The most lateness that is made up for: above the timers' usual error, below anything a person would call a burst.
    package static let forgivenLateness: Int64 = 50_000_000

    /// Nanoseconds from one record to the next; 0 where the pace is unlimited.
    private var spacing: Int64
    /// How far ahead of the pace a burst may run, in nanoseconds.
    private var tolerance: Int64
    /// When the next record would arrive if all kept exactly to the pace ("theoretical arrival time").
    private var nextArrival: Instant
    /// Whether records were left waiting for the meter the last time.
    private var isAwaited = false

    /// A meter whose first record, or first burst, may pass from `now` on.
    package init(pace: Pace, burst: Int, at now: Instant) {
        (spacing, tolerance) = Self.steps(pace: pace, burst: burst)
        nextArrival = now
    }

    /// Goes on at another pace; the last record that passed counts as if it had passed at that.
    package mutating func change(pace: Pace, burst: Int, at now: Instant) {
        let old = spacing
        (spacing, tolerance) = Self.steps(pace: pace, burst: burst)
        guard old > 0, spacing > 0 else {
            nextArrival = now
            return
        }
        nextArrival = nextArrival.advanced(byNanoseconds: spacing - old)
    }

    private static func steps(pace: Pace, burst: Int) -> (spacing: Int64, tolerance: Int64) {
        guard case .limited(let rate) = pace else { return (0, 0) }
        let (product, overflow) = rate.spacing.multipliedReportingOverflow(by: Int64(max(1, burst) - 1))
        return (rate.spacing, overflow ? .max / 4 : min(product, .max / 4))
    }

    package var isUnlimited: Bool { spacing == 0 }

    /// When the next record is due.
    package var nextDue: Instant { nextArrival.advanced(byNanoseconds: -tolerance) }

    /// How many records may pass now; does not take them.
    package func available(at now: Instant) -> Int {
        guard spacing > 0 else { return .max }
        guard now >= nextDue else { return 0 }
        return Int((now.nanoseconds + tolerance - base(at: now)) / spacing) + 1
    }

    /// Takes records that pass now.
    ///
    /// - Parameters:
    ///   - count: How many pass; at most what `available(at:)` just said.
    ///   - now: The same instant that `available(at:)` was told.
    ///   - leavesWaiting: Whether more records are waiting for the meter.
    package mutating func take(_ count: Int, at now: Instant, leavesWaiting: Bool) {
        guard spacing > 0 else { return }
        if count > 0 {
            nextArrival = Instant(nanoseconds: base(at: now)).advanced(byNanoseconds: Int64(count) * spacing)
        }
        isAwaited = leavesWaiting
    }

    /// The instant from which the next record's arrival counts.
    private func base(at now: Instant) -> Int64 {
        max(nextArrival.nanoseconds, isAwaited ? now.nanoseconds - Self.forgivenLateness : now.nanoseconds)
    }
}
