/// What a route admits streams by; a part that is `nil` refuses nothing.
package struct GateRules: Sendable {
    package var limits: Admission.Limits
    package var clientBreaker: CircuitBreaker.Policy?
    package var isClientBreakerDryRun: Bool
    package var upstreams: UpstreamRules
    /// Records that all streams of one client share.
    package var clientRecords: RecordAllowance?

    package init(
        limits: Admission.Limits = Admission.Limits(), clientBreaker: CircuitBreaker.Policy? = nil,
        isClientBreakerDryRun: Bool = false, upstreams: UpstreamRules = UpstreamRules(),
        clientRecords: RecordAllowance? = nil
    ) {
        (self.limits, self.clientBreaker, self.upstreams) = (limits, clientBreaker, upstreams)
        (self.isClientBreakerDryRun, self.clientRecords) = (isClientBreakerDryRun, clientRecords)
    }
}
