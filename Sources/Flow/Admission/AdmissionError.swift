/// Why a stream was not admitted.
package enum AdmissionError: Error, Equatable, Sendable {
    /// The client starts streams faster than the route allows; it will be served after `retryAfter`.
    case tooManyStarts(rate: Rate, retryAfter: Duration)
    case tooManyStreamsOfClient(limit: Int)
    /// `retryAfter` is the time until a stream without a client ends, if there is one.
    case tooManyStreamsOfRoute(limit: Int, retryAfter: Duration? = nil)
    /// As many streams and requests as the upstream may carry are open.
    case upstreamBusy(limit: Int)
    /// The client's last streams stalled too often.
    case clientBreakerOpen(CircuitBreaker.Refusal)
    case upstreamBreakerOpen(CircuitBreaker.Refusal)
    /// Its health checks fail; `retryAfter` is until the next one.
    case upstreamDown(retryAfter: Duration)
    /// The client's running streams use all records that it may get.
    case recordBudgetSpent(rate: Rate, retryAfter: Duration)
    /// The proxy carries as many streams or bytes as it may.
    case proxyFull(retryAfter: Duration)

    /// How long the client should wait.
    ///
    /// For starts and for an open breaker it is exact, for a record budget and for health checks the least that it can be.
    /// For slots of a route it is the time for which a detached stream holds one. When other streams will end is not known (they may
    /// last hours), and a guess from past streams would look exact and be wrong: then it is one second, the least that
    /// `Retry-After` can be.
    package var retryAfter: Duration {
        switch self {
        case .tooManyStarts(_, let retryAfter): retryAfter
        case .clientBreakerOpen(let refusal), .upstreamBreakerOpen(let refusal): refusal.retryAfter
        case .recordBudgetSpent(_, let retryAfter), .proxyFull(let retryAfter), .upstreamDown(let retryAfter):
            retryAfter
        case .tooManyStreamsOfRoute(_, let retryAfter): retryAfter ?? .seconds(1)
        case .tooManyStreamsOfClient, .upstreamBusy: .seconds(1)
        }
    }
}
