/// The end of a stream; the raw value is the `reason` of its log line and the `outcome` of its metrics.
package enum Outcome: String, Equatable, Sendable, CaseIterable {
    /// The upstream's last record was delivered.
    case completed
    /// The client closed its connection.
    case clientGone = "client_gone"
    /// The client did not take the records that were due.
    case slowConsumer = "slow_consumer"
    /// The connection to the upstream failed, or its response was invalid.
    case upstreamFailed = "upstream_failed"
    /// The upstream did not connect, begin its response or continue it in time.
    case upstreamTimeout = "upstream_timeout"
    /// Ended by a request to the stream's own address.
    case cancelled
    /// Ended because the proxy stops.
    case drained
    /// Never began: the client received a problem instead.
    case refused
}
