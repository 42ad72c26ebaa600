/// How a route selects one of its upstreams.
package struct UpstreamRules: Equatable, Sendable {
    package enum Balance: String, Sendable, CaseIterable {
        /// The upstream with the fewest open streams and requests.
        case leastStreams = "least_streams"
        case roundRobin = "round_robin"
    }

    package var balance: Balance
    /// Maximum of open streams and requests at one upstream; `nil` if there is none.
    package var limit: Int?
    /// `nil` if failing upstreams are not skipped.
    package var breaker: CircuitBreaker.Policy?
    package var isBreakerDryRun: Bool
    /// `nil` if there are no health checks.
    package var check: HealthCheck.Policy?

    package init(
        balance: Balance = .leastStreams, limit: Int? = nil, breaker: CircuitBreaker.Policy? = nil,
        isBreakerDryRun: Bool = false, check: HealthCheck.Policy? = nil
    ) {
        (self.balance, self.limit, self.breaker, self.isBreakerDryRun) = (balance, limit, breaker, isBreakerDryRun)
        self.check = check
    }
}
