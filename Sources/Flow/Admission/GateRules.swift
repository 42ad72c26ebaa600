/// What a route admits streams by; a part that is `nil` refuses nothing.
package struct GateRules: Sendable {
    package var limits: Admission.Limits
    package var clientBreaker: CircuitBreaker.Policy?
    package var isClientBreakerDryRun: Bool
    package var upstreams: UpstreamRules
    /// Records that all streams of one client share.
    package var clientRecords: RecordAllowance?
    /// The limits on clients of a tier, by the tier's name; those of a client without one are above.
    package var tiers: [String: Tier] = [:]

    /// The limits on the clients of one tier.
    package struct Tier: Equatable, Sendable {
        /// Complete: `perRoute` and `isDryRun` are those of the route.
        package var limits: Admission.Limits
        package var clientRecords: RecordAllowance?

        package init(limits: Admission.Limits, clientRecords: RecordAllowance? = nil) {
            (self.limits, self.clientRecords) = (limits, clientRecords)
        }
    }

    package init(
        limits: Admission.Limits = Admission.Limits(), clientBreaker: CircuitBreaker.Policy? = nil,
        isClientBreakerDryRun: Bool = false, upstreams: UpstreamRules = UpstreamRules(),
        clientRecords: RecordAllowance? = nil
    ) {
        (self.limits, self.clientBreaker, self.upstreams) = (limits, clientBreaker, upstreams)
        (self.isClientBreakerDryRun, self.clientRecords) = (isClientBreakerDryRun, clientRecords)
    }

    /// The limits on a client of this tier; those of the route for `nil`, and for a tier that a reload has removed.
    package func limits(of tier: String?) -> Admission.Limits { tier.flatMap { tiers[$0]?.limits } ?? limits }
}
