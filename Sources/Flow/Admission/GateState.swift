/// Decides whether a stream of one route is admitted: ``UpstreamPool``, ``ClientBreakers``, ``TierBudgets``, ``Admission``.
///
/// A stream holds the ``AdmissionGrant`` that ``admit(_:at:)`` returned, reports with it what happens to it, and gives it back
/// once with ``release(_:at:)``.
///
/// Invariants (`GateStateTests`):
/// 1. A refusal takes nothing: neither a slot, a start, a probe nor a slot at an upstream.
/// 2. When every grant was released, no stream and no request is open.
/// 3. A verdict counts once for the client's breaker and once for each upstream that got the request.
///
/// - Complexity: O(upstreams) for each call, and that of the parts.
package struct GateState: Sendable {
    package private(set) var rules: GateRules
    package private(set) var admission: Admission
    package var clientBreakers: ClientBreakers?
    package var upstreams: UpstreamPool
    package private(set) var budgets: TierBudgets
    private var retries = RetryBudget()
    /// Breakers that the rules have switched off: reset, so that none of their tickets counts if they are switched on again.
    private var retiredClients: ClientBreakers?

    /// - Parameters:
    ///   - rules: What it decides by.
    ///   - upstreams: The names of the route's upstreams, in the order of the configuration.
    package init(rules: GateRules, upstreams: [String]) {
        self.rules = rules
        admission = Admission(limits: rules.limits)
        clientBreakers = rules.clientBreaker.map { ClientBreakers(policy: $0) }
        self.upstreams = UpstreamPool(upstreams, rules: rules.upstreams)
        budgets = TierBudgets(rules)
    }

    /// Decides by other rules from now on; what was admitted stays, and counts.
    package mutating func apply(_ new: GateRules, upstreams names: [String], at now: Instant) {
        rules = new
        admission.limits = new.limits
        upstreams.apply(names, rules: new.upstreams, at: now)
        switch (new.clientBreaker, clientBreakers) {
        case (let policy?, _):
            clientBreakers = clientBreakers ?? retiredClients ?? ClientBreakers(policy: policy)
            clientBreakers?.policy = policy
        case (nil, var breakers?):
            breakers.resetAll(at: now)
            (retiredClients, clientBreakers) = (breakers, nil)
        case (nil, nil): break
        }
        budgets.apply(new)
    }

    // MARK: Admit and release

    /// Admits a stream of `client`.
    ///
    /// The upstream is checked first: a client must not lose a probe or a start to a request that could not be served.
    ///
    /// - Parameters:
    ///   - client: Whose limits count.
    ///   - tier: The name of its tier, whose limits apply; `nil` if it has none.
    ///   - takesUpstream: Whether the stream sends a request of its own; if not, it may follow with ``takeUpstream(_:at:)``.
    ///   - now: The time.
    /// - Returns: What the stream holds.
    /// - Throws: The first refusal; then nothing was taken.
    package mutating func admit(
        _ client: ClientKey, tier: String? = nil, takesUpstream: Bool = true, at now: Instant
    ) throws(AdmissionError) -> AdmissionGrant {
        var grant = AdmissionGrant(client: client, tier: tier)
        let limits = rules.limits(of: tier)
        if takesUpstream { try takeUpstream(&grant, at: now) }
        do throws(AdmissionError) {
            do throws(CircuitBreaker.Refusal) {
                grant.clientTicket = try clientBreakers?.admit(client, at: now)
            } catch {
                try grant.refuse(.clientBreakerOpen(error), isDryRun: rules.isClientBreakerDryRun)
            }
            if let refusal = budgets.refusal(of: client, in: tier, at: now) {
                try grant.refuse(refusal, isDryRun: rules.limits.isDryRun)
            }
            grant.admitted = try admission.admit(client, under: limits, at: now)
        } catch {
            giveBack(grant, at: now)
            if let slot = grant.upstream { upstreams.withdrawn(slot) }
            throw error
        }
        if let refusal = grant.admitted.wouldRefuse { grant.wouldRefuse.append(refusal) }
        grant.quotas = ClientQuotas(
            starts: admission.remainingStarts(of: client, under: limits, at: now),
            streams: admission.streamsLeft(of: client, under: limits),
            records: budgets.quotas(of: client, in: tier, at: now))
        retries.requestCame(at: now)
        return grant
    }

    /// Admits a request that no client's limits count: one that is shared by the streams of several.
    ///
    /// - Throws: Why no upstream can be asked; then nothing was taken.
    package mutating func admitPull(at now: Instant) throws(AdmissionError) -> AdmissionGrant {
        var grant = AdmissionGrant(client: ClientKey(""))
        grant.isOfClient = false
        try takeUpstream(&grant, at: now)
        retries.requestCame(at: now)
        return grant
    }

    /// Takes a place at an upstream, for a grant that has none.
    ///
    /// - Throws: Why no upstream can be asked; then nothing was taken.
    package mutating func takeUpstream(_ grant: inout AdmissionGrant, at now: Instant) throws(AdmissionError) {
        precondition(grant.upstream == nil, "a grant has one place at an upstream")
        let slot = try upstreams.admit(at: now)
        grant.upstream = slot
        if let refusal = slot.wouldRefuse { grant.wouldRefuse.append(refusal) }
    }

    /// The stream does not begin: the detached stream whose slot it has taken over gets it back.
    ///
    /// The grant is released after this.
    ///
    /// - Returns: The detached stream; `nil` if there is none, or it has ended.
    package mutating func returnSlot(of grant: AdmissionGrant) -> StreamId? {
        grant.displaced.flatMap { admission.returnSlot(to: $0, of: grant.client) ? $0 : nil }
    }

    /// Takes back what an admitted stream has; to be called once for each grant.
    ///
    /// - Returns: Whether it had the slot of a stream until now: another start may have taken it over.
    @discardableResult
    package mutating func release(_ grant: AdmissionGrant, at now: Instant) -> Bool {
        guard grant.isOfClient else {
            giveBack(grant, at: now)
            return false
        }
        let hasSlot = grant.detachedAs.map { admission.attached($0, of: grant.client) } ?? grant.isStream
        admission.released(grant.client, isStream: hasSlot)
        giveBack(grant, at: now)
        return hasSlot
    }

    /// Gives back the slot at the upstream, and the breakers' tickets that have had no verdict.
    private mutating func giveBack(_ grant: AdmissionGrant, at now: Instant) {
        if let slot = grant.upstream { upstreams.released(slot, at: now) }
        if let ticket = grant.clientTicket { clientBreakers?.released(grant.client, ticket, at: now) }
    }

    /// The refusal as the client receives it: clients that are refused for their starts get different times.
    package mutating func spread(
        _ refusal: AdmissionError, of client: ClientKey, tier: String? = nil, at now: Instant
    ) -> AdmissionError {
        guard case .tooManyStarts(let rate, _) = refusal,
            let wait = admission.planReturn(of: client, under: rules.limits(of: tier), at: now)
        else {
            return refusal
        }
        return .tooManyStarts(rate: rate, retryAfter: wait)
    }

    // MARK: While the stream is open

    /// The response is not a stream: from now on only the upstream's slot is taken, and the start does not count.
    ///
    /// A second call changes nothing.
    package mutating func turnedOutPlain(_ grant: inout AdmissionGrant) {
        guard grant.isStream else { return }
        grant.isStream = false
        admission.turnedOutPlain(grant.client, admitted: grant.admitted, under: rules.limits(of: grant.tier))
    }

    /// The stream's client has disconnected and may come back until `end`; a further call sets another end.
    package mutating func detached(_ grant: inout AdmissionGrant, as stream: StreamId, until end: Instant) {
        guard grant.isStream else { return }
        guard grant.detachedAs == nil else { return admission.changeEnd(of: stream, to: end) }
        grant.detachedAs = stream
        admission.detached(stream, of: grant.client, until: end)
    }

    /// The client is back.
    ///
    /// - Returns: Whether the stream still has its slot; if not, the stream has to end.
    package mutating func attached(_ grant: inout AdmissionGrant) -> Bool {
        guard let stream = grant.detachedAs else { return true }
        guard admission.attached(stream, of: grant.client) else { return false }
        grant.detachedAs = nil
        return true
    }

    /// Draws records from the budget that all streams of the client share; `nil` if there is none.
    package mutating func draw(
        _ grant: inout AdmissionGrant, upTo records: Int, at now: Instant
    ) -> RecordBudget.Lease? {
        grant.lease = budgets.draw(grant.client, of: grant.tier, upTo: records, after: grant.lease, at: now)
        return grant.lease
    }

    /// Returns records of a lease that will not be used.
    package mutating func giveBack(_ records: Int, of grant: AdmissionGrant, at now: Instant) {
        budgets.giveBack(grant.client, of: grant.tier, records, at: now)
    }

    /// Charges units that were sent beyond the leases.
    package mutating func charge(_ units: Int, of grant: AdmissionGrant, at now: Instant) {
        budgets.charge(grant.client, of: grant.tier, units, at: now)
    }

    /// Takes a slot at another upstream, if one is available and the route's retries are not used up.
    ///
    /// - Returns: Whether it did; if not, nothing has changed.
    package mutating func tryAnother(_ grant: inout AdmissionGrant, at now: Instant) -> Bool {
        guard let slot = grant.upstream else { return false }
        let tried = grant.tried + [slot]
        guard let next = try? upstreams.admit(after: tried, onlyOthers: true, at: now) else { return false }
        guard retries.takeRetry(at: now) else {
            upstreams.released(next, at: now)
            upstreams.withdrawn(next)
            return false
        }
        upstreams.released(slot, at: now)
        (grant.tried, grant.upstream) = (tried, next)
        return true
    }
}
