/// What a route admits streams by; a part that is `nil` refuses nothing.
package struct GateRules: Sendable {
    package var limits: Admission.Limits
    package var clientBreaker: CircuitBreaker.Policy?
    package var isClientBreakerDryRun: Bool
    package var upstreams: UpstreamRules
    /// Records that all streams of one client share.
    package var clientRecords: RecordAllowance?
    /// Records that all streams of one client share over all replicas, instead of `clientRecords`.
    package var sharedRecords: SharedRecordRule?
    /// The limits on clients of a tier, by the tier's name; those of a client without one are above.
    package var tiers: [String: Tier] = [:]

    /// The limits on the clients of one tier.
    package struct Tier: Equatable, Sendable {
        /// Complete: `perRoute` and `isDryRun` are those of the route.
        package var limits: Admission.Limits
        package var clientRecords: RecordAllowance?
        package var sharedRecords: SharedRecordRule?

        package init(
            limits: Admission.Limits, clientRecords: RecordAllowance? = nil, sharedRecords: SharedRecordRule? = nil
        ) {
            (self.limits, self.clientRecords, self.sharedRecords) = (limits, clientRecords, sharedRecords)
        }
    }

    package init(
        limits: Admission.Limits = Admission.Limits(), clientBreaker: CircuitBreaker.Policy? = nil,
        isClientBreakerDryRun: Bool = false, upstreams: UpstreamRules = UpstreamRules(),
        clientRecords: RecordAllowance? = nil, sharedRecords: SharedRecordRule? = nil
    ) {
        (self.limits, self.clientBreaker, self.upstreams) = (limits, clientBreaker, upstreams)
        (self.isClientBreakerDryRun, self.clientRecords) = (isClientBreakerDryRun, clientRecords)
        self.sharedRecords = sharedRecords
    }

    /// The limits on a client of this tier; those of the route for `nil`, and for a tier that a reload has removed.
    package func limits(of tier: String?) -> Admission.Limits { tier.flatMap { tiers[$0]?.limits } ?? limits }

    /// The record rate over all replicas of a client of this tier, likewise; `nil` if there is none.
    package func sharedRecords(of tier: String?) -> SharedRecordRule? {
        if let tier, let rules = tiers[tier] { rules.sharedRecords } else { sharedRecords }
    }
}

/// The rate of a client's records over all replicas.
package struct SharedRecordRule: Equatable, Sendable {
    /// The route's name at all replicas.
    package let route: String
    package let rate: Rate

    package init(route: String, rate: Rate) { (self.route, self.rate) = (route, rate) }
}
