/// How a stream ended; the raw value is the `reason` of its log line and the `outcome` of its metrics.
package enum Outcome: String, Equatable, Sendable, CaseIterable {
    /// The upstream's last record was delivered.
    case completed
    /// The client closed its connection.
    case clientGone = "client_gone"
    /// The client did not take what was due for it.
    case slowConsumer = "slow_consumer"
    /// The upstream broke off, or sent what is no answer.
    case upstreamFailed = "upstream_failed"
    case upstreamTimeout = "upstream_timeout"
    /// Ended by request, over the stream's own address.
    case cancelled
    /// Ended because the proxy stops.
    case drained
    /// Never began: the client got a problem instead.
    case refused
}
