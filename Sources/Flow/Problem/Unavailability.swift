/// The reason for which no request is served at the moment.
package enum Unavailability: Equatable, Sendable {
    /// The proxy is stopping; its replacement should be available at once.
    case draining
    /// The proxy has reached its own limit of memory or streams.
    case proxyFull(retryAfter: Duration)
    /// The upstream failed too often.
    case upstreamBreakerOpen(CircuitBreaker.Refusal)
    /// The upstream fails its health checks.
    case upstreamDown(retryAfter: Duration)
    /// An operator has drained the upstream.
    case upstreamDrained
    /// An event loop did not report in time.
    case loopSilent

    var detail: String {
        switch self {
        case .draining: "The proxy is stopping"
        case .proxyFull: "The proxy has reached its limit of streams or bytes"
        case .upstreamBreakerOpen: "The upstream has failed too often"
        case .upstreamDown: "The upstream does not pass its health checks"
        case .upstreamDrained: "The upstream gets no new requests at the moment"
        case .loopSilent: "An event loop has not responded in time"
        }
    }

    var retryAfter: Duration {
        switch self {
        case .draining, .upstreamDrained, .loopSilent: .seconds(1)
        case .proxyFull(let retryAfter), .upstreamDown(let retryAfter): retryAfter
        case .upstreamBreakerOpen(let refusal): refusal.retryAfter
        }
    }
}
