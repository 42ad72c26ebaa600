/// The rate at which one client may start streams: a token bucket, kept as the generic cell rate algorithm (GCRA).
///
/// GCRA needs one instant per client where a bucket needs a level and the time of its last change. That instant, the
/// *next start*, is the time of the client's next start if it starts exactly at the rate; the bucket is full when its
/// next start is not in the future. (ITU-T I.371, annex A, the virtual scheduling form.)
package struct StartAllowance: Equatable, Sendable {
    package let rate: Rate
    /// Starts that a client may make at once after an idle time; at least 1.
    package let burst: Int
    /// The time between two starts at the rate, in nanoseconds.
    let spacing: Int64
    /// The maximum distance of a next start from now, in nanoseconds: that of `burst - 1` starts.
    private let tolerance: Int64

    package init(rate: Rate, burst: Int) {
        precondition(burst >= 1, "a burst below 1 would admit no stream")
        self.rate = rate
        self.burst = burst
        spacing = rate.spacing
        tolerance = Self.tolerance(spacing, burst)
    }

    /// The same rate in steps that are `times` as long: a part of it.
    init(_ whole: StartAllowance, times: Int, burst: Int) {
        (rate, self.burst) = (whole.rate, burst)
        let (product, overflow) = whole.spacing.multipliedReportingOverflow(by: Int64(times))
        spacing = overflow ? .max : product
        tolerance = Self.tolerance(spacing, burst)
    }

    private static func tolerance(_ spacing: Int64, _ burst: Int) -> Int64 {
        let (product, overflow) = spacing.multipliedReportingOverflow(by: Int64(burst - 1))
        return overflow ? .max : product
    }

    /// The time in which an empty allowance becomes full.
    package var refillTime: Duration {
        .nanoseconds(tolerance.addingReportingOverflow(spacing).overflow ? .max : tolerance + spacing)
    }

    /// The time until a client may start a stream; zero or less if it may do so now.
    func wait(nextStart: Instant, at now: Instant) -> Duration {
        nextStart.advanced(byNanoseconds: -tolerance) - now
    }

    /// The next start after one at `now`.
    func taken(nextStart: Instant, at now: Instant) -> Instant {
        max(nextStart, now).advanced(byNanoseconds: spacing)
    }

    /// The next start as if a client that must wait for `wait` had started at the end of its `Retry-After`, in whole
    /// seconds.
    func planned(nextStart: Instant, after wait: Duration, at now: Instant) -> Instant {
        taken(nextStart: nextStart, at: now + .seconds(wait.retryAfterSeconds))
    }

    /// The maximum to which planned starts may move a next start.
    func mostPlanned(nextStart: Instant) -> Instant {
        let (distance, overflow) = spacing.multipliedReportingOverflow(by: Self.mostPlannedStarts)
        return overflow ? .distantFuture : nextStart.advanced(byNanoseconds: distance)
    }

    /// Clients that retry too early plan another start each time: these must not delay the others for long.
    private static let mostPlannedStarts: Int64 = 100

    /// The next start as if one start had not been made.
    func refunded(nextStart: Instant) -> Instant {
        nextStart.advanced(byNanoseconds: -spacing)
    }

    /// The remaining starts of a client.
    func quota(nextStart: Instant, at now: Instant) -> StartQuota {
        quota(distance: nextStart - now)
    }

    /// The remaining starts of a client whose next start at the rate is at this distance.
    func quota(distance: Duration) -> StartQuota {
        let debt = max(.zero, distance).nanoseconds
        let remaining = debt > tolerance ? 0 : min(Int64(burst), (tolerance - debt) / spacing + 1)
        return StartQuota(remaining: Int(remaining), resetSeconds: debt == 0 ? 0 : distance.retryAfterSeconds)
    }
}
