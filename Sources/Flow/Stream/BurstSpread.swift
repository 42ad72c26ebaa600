/// Spreads bursts of records over the time until the next one is expected, so that a client gets them evenly.
///
///     arrived    ||||||          ||||||          ||||||
///     sent       ||||||          |  |  |  |  |  ||  |  |  |  |  |
///                the first at once: no second one is expected yet
///
/// The time is that between the last bursts, and at most the maximum delay. What arrives while others wait makes the steps
/// shorter and never longer, so that no record is later than that.
///
/// Invariants (`BurstSpreadTests`), for a caller that sends each record when it is due:
/// 1. No record is sent later than the maximum delay after its arrival.
/// 2. Bursts of one size at one interval, no longer than the maximum delay, are sent at even distances.
/// 3. A record that arrives alone, at its interval or later, is sent at once.
///
/// - Complexity: O(1) for each call, without allocation.
package struct BurstSpread: Equatable, Sendable {
    /// Arrivals that are closer together are one burst: the parts of a chunk, and distances that no reader notices.
    private static let gap: Int64 = 20_000_000

    private let maximum: Int64
    /// The expected time from one burst to the next, at most the maximum; zero while none is known.
    private var interval: Int64 = 0
    private var began: Instant?
    private var lastArrival: Instant
    /// The time from one record to the next; zero if all may be sent.
    private var step: Int64 = 0
    /// When the next record is due.
    private var next: Instant

    /// - Parameters:
    ///   - maximum: The longest time for which a record waits.
    ///   - now: The time; nothing has arrived.
    package init(atMost maximum: Duration, at now: Instant) {
        self.maximum = maximum.nanoseconds
        (lastArrival, next) = (now, now)
    }

    /// When the next record is due, if one waits.
    package var nextDue: Instant { next }

    /// The number of records that may be sent now; does not take them.
    package func available(at now: Instant) -> Int {
        guard now >= next else { return 0 }
        return step > 0 ? Int((now - next).nanoseconds / step) + 1 : .max
    }

    /// Takes records that are sent now.
    package mutating func take(_ count: Int) {
        let (time, overflow) = step.multipliedReportingOverflow(by: Int64(count))
        next = next.advanced(byNanoseconds: overflow ? .max : time)
    }

    /// Records arrived.
    ///
    /// - Parameters:
    ///   - waiting: Records that wait to be sent, with those that arrived.
    ///   - before: Those of them that waited before.
    ///   - now: The time.
    package mutating func arrived(waiting: Int, before: Int, at now: Instant) {
        noteBurst(at: now)
        let end = (began ?? now).advanced(byNanoseconds: interval)
        guard waiting > 0, end > now else { return release(at: now) }
        next = before > 0 ? min(next, end) : max(now, min(next, end))
        let even = (end - next).nanoseconds / Int64(waiting)
        step = before > 0 ? min(step, even) : even
    }

    /// All records that wait may be sent now.
    package mutating func release(at now: Instant) { (step, next) = (0, now) }

    /// Learns the interval: each new one counts for a quarter.
    private mutating func noteBurst(at now: Instant) {
        defer { lastArrival = now }
        if let began {
            guard (now - lastArrival).nanoseconds > Self.gap else { return }
            let last = min((now - began).nanoseconds, maximum)
            interval = interval == 0 ? last : interval - interval / 4 + last / 4
        }
        began = now
    }
}
