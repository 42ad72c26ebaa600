/// A point on the monotonic clock, in nanoseconds since an arbitrary start.
///
/// Flow never reads a clock: shells read `CLOCK_MONOTONIC` and pass the time in, so that every decision is tested
/// without waiting. 64 bits of nanoseconds last 292 years.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The far future: later than any instant that a clock will read.
    package static let distantFuture = Instant(nanoseconds: .max)

    /// The far past: earlier than any instant that a clock will read.
    package static let distantPast = Instant(nanoseconds: .min)

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `duration` later; limited to `distantPast` and `distantFuture` instead of an overflow.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        instant.advanced(byNanoseconds: duration.nanoseconds)
    }

    /// The time from `earlier` to `later`, at most 292 years; negative if `later` is before `earlier`.
    package static func - (later: Instant, earlier: Instant) -> Duration {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (later > earlier ? .max : .min) : difference)
    }

    /// The instant `count` nanoseconds later; limited to `distantPast` and `distantFuture` instead of an overflow.
    package func advanced(byNanoseconds count: Int64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        guard overflow else { return Instant(nanoseconds: sum) }
        return count > 0 ? .distantFuture : .distantPast
    }
}

extension Duration {
    /// The whole nanoseconds of this duration, within the range of `Int64`.
    package var nanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }

    /// This duration in seconds, as a fraction.
    package var inSeconds: Double { Double(nanoseconds) / 1e9 }

    /// This duration in whole seconds, rounded up, and at least 1: the form of `Retry-After` (RFC 9110, section 10.2.3).
    package var retryAfterSeconds: Int {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Int(max(1, rest > 0 ? whole + 1 : whole))
    }
}
