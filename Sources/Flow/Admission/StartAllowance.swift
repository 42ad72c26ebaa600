/// How often one client may start a stream: a token bucket, kept as the generic cell rate algorithm (GCRA).
///
/// GCRA needs one instant per client where a bucket needs a level and the time of its last change. That instant, the
/// *next start*, is when the client would be served if it came exactly at the rate; a bucket is full when its next
/// start is not in the future. (ITU-T I.371, annex A, the virtual scheduling form.)
package struct StartAllowance: Equatable, Sendable {
    package let rate: Rate
    /// Starts that a client may make at once after a quiet time; at least 1.
    package let burst: Int
    /// From one start to the next at the rate, in nanoseconds.
    private let spacing: Int64
    /// How far a next start may lie in the future, in nanoseconds: that of `burst - 1` starts.
    private let tolerance: Int64

    package init(rate: Rate, burst: Int) {
        precondition(burst >= 1, "a burst below 1 would admit nobody")
        self.rate = rate
        self.burst = burst
        spacing = rate.spacing
        let (product, overflow) = spacing.multipliedReportingOverflow(by: Int64(burst - 1))
        tolerance = overflow ? .max : product
    }

    /// How long a spent allowance takes to be full again.
    package var refillTime: Duration {
        .nanoseconds(tolerance.addingReportingOverflow(spacing).overflow ? .max : tolerance + spacing)
    }

    /// The time until a client may start a stream; zero or less when it may do so now.
    func wait(nextStart: Instant, at now: Instant) -> Duration {
        nextStart.advanced(byNanoseconds: -tolerance) - now
    }

    /// The next start after one at `now`.
    func taken(nextStart: Instant, at now: Instant) -> Instant {
        max(nextStart, now).advanced(byNanoseconds: spacing)
    }

    /// The next start as if a client that must wait for `wait` had started when its `Retry-After`, in whole seconds, is over.
    func planned(nextStart: Instant, after wait: Duration, at now: Instant) -> Instant {
        taken(nextStart: nextStart, at: now + .seconds(wait.retryAfterSeconds))
    }

    /// The furthest that planned starts may push a next start.
    func mostPlanned(nextStart: Instant) -> Instant {
        let (distance, overflow) = spacing.multipliedReportingOverflow(by: Self.mostPlannedStarts)
        return overflow ? .distantFuture : nextStart.advanced(byNanoseconds: distance)
    }

    /// Clients that come back before their time plan another start each time: these must not keep the others away for long.
    private static let mostPlannedStarts: Int64 = 100

    /// The next start as if one start had not been made.
    func refunded(nextStart: Instant) -> Instant {
        nextStart.advanced(byNanoseconds: -spacing)
    }

    /// What a client has left.
    func quota(nextStart: Instant, at now: Instant) -> StartQuota {
        let debt = max(.zero, nextStart - now).nanoseconds
        let remaining = debt > tolerance ? 0 : min(Int64(burst), (tolerance - debt) / spacing + 1)
        return StartQuota(remaining: Int(remaining), resetSeconds: debt == 0 ? 0 : (nextStart - now).retryAfterSeconds)
    }
}

/// What a client has left on a route, for each limit on clients that the route has.
package struct ClientQuotas: Equatable, Sendable {
    package var starts: StartQuota?
    /// Streams that it may open beside those that are open.
    package var streams: Int?

    package init(starts: StartQuota? = nil, streams: Int? = nil) {
        self.starts = starts
        self.streams = streams
    }
}

/// What a client has left of its allowance: the `r` and `t` of a `RateLimit` field (draft-ietf-httpapi-ratelimit-headers).
package struct StartQuota: Equatable, Sendable {
    /// Streams that it may start now, one after the other.
    package let remaining: Int
    /// Whole seconds, rounded up, until its allowance is full again; 0 when it is.
    package let resetSeconds: Int

    package init(remaining: Int, resetSeconds: Int) {
        self.remaining = remaining
        self.resetSeconds = resetSeconds
    }
}
