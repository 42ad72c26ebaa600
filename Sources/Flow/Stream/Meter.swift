/// Limits records to a pace: the generic cell rate algorithm (ITU-T I.371); the caller passes the time.
///
/// Within any interval `d`, at most `burst + (d + lateness) / spacing` records pass. The lateness is weir's, not the
/// client's: if records were waiting and the loop woke slightly after they were due, the next one is due as if it had
/// woken in time. Otherwise every late wake-up would lengthen the gap, and a stream with 10/second would run at 9.9.
package struct Meter: Sendable {
    /// The maximum lateness that is compensated: above the usual error of timers, below a noticeable burst.
    package static let forgivenLateness: Int64 = 50_000_000

    /// Nanoseconds between two records; 0 if the pace is unlimited.
    private var spacing: Int64
    /// The distance by which a burst may be ahead of the pace, in nanoseconds.
    private var tolerance: Int64
    /// The arrival of the next record if all records keep exactly to the pace ("theoretical arrival time").
    private var nextArrival: Instant
    /// Whether records were waiting for the meter after the last call.
    private var isAwaited = false

    /// A meter whose first record, or first burst, may pass from `now` on.
    package init(pace: Pace, burst: Int, at now: Instant) {
        (spacing, tolerance) = Self.steps(pace: pace, burst: burst)
        nextArrival = now
    }

    /// Continues at another pace; the last record that passed, and all that is owed, count as if they had passed at that pace.
    package mutating func change(pace: Pace, burst: Int, at now: Instant) {
        let old = spacing
        (spacing, tolerance) = Self.steps(pace: pace, burst: burst)
        guard old > 0, spacing > 0 else {
            nextArrival = now
            return
        }
        let ahead = (nextArrival - now).nanoseconds
        let (time, overflow) = (spacing - old).multipliedReportingOverflow(by: ahead > 0 ? (ahead - 1) / old + 1 : 1)
        // Shorter by more than there are nanoseconds: nothing is left of it.
        nextArrival = overflow && spacing < old ? now : nextArrival.advanced(byNanoseconds: overflow ? .max : time)
    }

    private static func steps(pace: Pace, burst: Int) -> (spacing: Int64, tolerance: Int64) {
        guard case .limited(let rate) = pace else { return (0, 0) }
        let (product, overflow) = rate.spacing.multipliedReportingOverflow(by: Int64(max(1, burst) - 1))
        return (rate.spacing, overflow ? .max / 4 : min(product, .max / 4))
    }

    /// Whether no record ever waits.
    package var isUnlimited: Bool { spacing == 0 }

    /// When the next record is due.
    package var nextDue: Instant { nextArrival.advanced(byNanoseconds: -tolerance) }

    /// The number of records that may pass now; does not take them.
    package func available(at now: Instant) -> Int {
        guard spacing > 0 else { return .max }
        guard now >= nextDue else { return 0 }
        return Int((now.nanoseconds + tolerance - base(at: now)) / spacing) + 1
    }

    /// Takes records that pass now.
    ///
    /// - Parameters:
    ///   - count: The number that pass. More than the last result of ``available(at:)`` are a debt, which is paid before the
    ///     next one passes; a negative number pays one.
    ///   - now: The same instant as in that call.
    ///   - leavesWaiting: Whether more records are waiting for the meter.
    package mutating func take(_ count: Int, at now: Instant, leavesWaiting: Bool) {
        guard spacing > 0 else { return }
        if count != 0 {
            let (time, overflow) = spacing.multipliedReportingOverflow(by: Int64(count))
            let next = Instant(nanoseconds: base(at: now)).advanced(
                byNanoseconds: overflow ? (count > 0 ? .max : -.max) : time)
            // What is paid beyond the debt is never used, see `base(at:)`.
            nextArrival = max(next, now.advanced(byNanoseconds: -Self.forgivenLateness))
        }
        isAwaited = leavesWaiting
    }

    /// The instant from which the next record's arrival counts.
    private func base(at now: Instant) -> Int64 {
        max(nextArrival.nanoseconds, isAwaited ? now.nanoseconds - Self.forgivenLateness : now.nanoseconds)
    }
}
