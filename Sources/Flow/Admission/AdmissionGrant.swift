/// What one admitted stream has taken from a ``GateState``, until ``GateState/release(_:at:)``.
package struct AdmissionGrant: Sendable {
    package let client: ClientKey
    /// The tier by which the client was admitted; `nil` if it has none.
    package let tier: String?
    var admitted = Admission.Admitted()
    /// The client's remaining allowances under the route's limits.
    package internal(set) var quotas = ClientQuotas()
    /// The ticket of the client's breaker, until the breaker got its verdict.
    var clientTicket: CircuitBreaker.Ticket?
    /// At the upstream that gets the request; `nil` until there is one, and for a stream that shares another's request.
    package internal(set) var upstream: UpstreamPool.Slot?
    /// The slots that were given back because their upstreams failed before they responded.
    var tried: [UpstreamPool.Slot] = []
    /// The refusals that a dry run has only recorded.
    package internal(set) var wouldRefuse: [AdmissionError] = []
    /// Whether the limits on clients count it; not for a request that the streams of several clients share.
    var isOfClient = true
    /// Whether the response is a stream, or is not known yet.
    var isStream = true
    /// The stream's id while it has no client; only then another start of the client may take the slot.
    var detachedAs: StreamId?
    /// The last records that the stream drew.
    var lease: RecordBudget.Lease?

    init(client: ClientKey, tier: String? = nil) { (self.client, self.tier) = (client, tier) }

    /// A detached stream whose slot this one has taken; the caller must end it.
    package var displaced: StreamId? { admitted.displaced }

    /// Whether the stream decides if a breaker closes again.
    package var isProbe: Bool { isClientProbe || isUpstreamProbe }

    /// Whether the upstream's breaker waits for a verdict.
    package var awaitsVerdict: Bool { upstream?.ticket != nil }

    var isClientProbe: Bool { clientTicket?.isProbe ?? false }
    var isUpstreamProbe: Bool { upstream?.ticket?.isProbe ?? false }

    mutating func refuse(_ error: AdmissionError, isDryRun: Bool) throws(AdmissionError) {
        guard isDryRun else { throw error }
        wouldRefuse.append(error)
    }
}
