/// The reason for which a stream was not admitted.
package enum AdmissionError: Error, Equatable, Sendable {
    /// The client starts streams faster than the route allows; it will be served after `retryAfter`.
    case tooManyStarts(rate: Rate, retryAfter: Duration)
    /// The client has `limit` open streams on the route.
    case tooManyStreamsOfClient(limit: Int)
    /// The route has `limit` open streams; `retryAfter` is the time until a stream without a client ends, if there is
    /// one.
    case tooManyStreamsOfRoute(limit: Int, retryAfter: Duration? = nil)
    /// The upstream has reached its limit of streams and requests.
    case upstreamBusy(limit: Int)
    /// The client was a slow consumer too often.
    case clientBreakerOpen(CircuitBreaker.Refusal)
    /// The upstream failed too often.
    case upstreamBreakerOpen(CircuitBreaker.Refusal)
    /// The upstream fails its health checks; `retryAfter` is the time until the next check.
    case upstreamDown(retryAfter: Duration)
    /// An operator has drained every upstream of the route.
    case upstreamDrained
    /// The client's open streams use its whole record rate.
    case recordBudgetSpent(rate: Rate, retryAfter: Duration)
    /// The client has used its quota of records; the next window begins after `retryAfter`.
    case recordQuotaSpent(quota: RecordQuota, retryAfter: Duration)
    /// The proxy has reached its own limit of streams or bytes.
    case proxyFull(retryAfter: Duration)

    /// The value of `Retry-After`.
    ///
    /// It is exact for starts, for a quota and for an open breaker, and the minimum for a record budget and for health checks. For
    /// slots of a route it is the time for which a detached stream holds one. The ends of other streams are not known
    /// (they may last hours), and a guess from past streams would look exact and be wrong: then it is one second, the
    /// minimum of `Retry-After`.
    package var retryAfter: Duration {
        switch self {
        case .tooManyStarts(_, let retryAfter): retryAfter
        case .clientBreakerOpen(let refusal), .upstreamBreakerOpen(let refusal): refusal.retryAfter
        case .recordBudgetSpent(_, let retryAfter), .recordQuotaSpent(_, let retryAfter), .proxyFull(let retryAfter),
            .upstreamDown(let retryAfter):
            retryAfter
        case .tooManyStreamsOfRoute(_, let retryAfter): retryAfter ?? .seconds(1)
        case .tooManyStreamsOfClient, .upstreamBusy, .upstreamDrained: .seconds(1)
        }
    }
}
