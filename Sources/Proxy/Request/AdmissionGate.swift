import Flow
import NIOConcurrencyHelpers
import Settings

/// Everything that may refuse a stream of one route, for all event loops: the breakers, the record budgets, ``Admission``.
///
/// A lock is right here: it is taken a few times in a stream's life, for well under a microsecond, never for a record;
/// where streams share a budget of records, for each lease of some 16 ms.
final class AdmissionGate: Sendable {
    /// What a route decides by; a part that is `nil` refuses nobody.
    struct Rules: Sendable {
        var limits = Admission.Limits()
        var clientBreaker: CircuitBreaker.Policy?
        var isClientBreakerDryRun = false
        var upstreams = UpstreamRules()
        var clientRecords: Rate?
    }

    struct GateState {
        var rules: Rules
        var admission: Admission
        var clientBreakers: ClientBreakers?
        var upstreams: UpstreamPool
        /// How to reach those of the pool, in their order.
        fileprivate(set) var targets: [RouteUpstream]
        var retries = RetryBudget()
        var budgets: RecordBudgets?
        /// Breakers that the rules have switched off: reset, so that no ticket of theirs counts should they come back.
        var retiredClients: ClientBreakers?
    }

    /// Whose breaker it is.
    enum BreakerKind: String, Sendable { case client, upstream }

    /// Is told when a breaker opens or closes, outside of the lock.
    let breakerChanged: @Sendable (BreakerKind, CircuitBreaker.State) -> Void
    private let doors: NIOLockedValueBox<GateState>

    init(
        rules: Rules, upstreams: [RouteUpstream],
        breakerChanged: @escaping @Sendable (BreakerKind, CircuitBreaker.State) -> Void = { _, _ in }
    ) {
        self.breakerChanged = breakerChanged
        doors = NIOLockedValueBox(GateState(rules: rules, upstreams: upstreams))
    }

    var rules: Rules { doors.withLockedValue { $0.rules } }

    /// Decides by other rules from now on; what was admitted stays, and counts.
    func apply(_ rules: Rules, upstreams: [RouteUpstream], at now: Instant) {
        doors.withLockedValue { $0.apply(rules, upstreams: upstreams, at: now) }
    }

    /// Lets a stream of `client` in for as long as the permit lives.
    ///
    /// - Throws: The first thing that is in the way; then nothing was taken.
    func admit(_ client: ClientKey, at now: Instant) throws(AdmissionError) -> Permit {
        let result = doors.withLockedValue { doors -> Result<Permit.Parts, AdmissionError> in
            do throws(AdmissionError) {
                return .success(try doors.admit(client, at: now))
            } catch {
                return .failure(error)
            }
        }
        return Permit(gate: self, client: client, parts: try result.get())
    }

    /// What a client has left of its starts; `nil` where the route does not limit them.
    func startsLeft(of client: ClientKey, at now: Instant) -> StartQuota? {
        doors.withLockedValue { $0.admission.startsLeft(of: client, at: now) }
    }

    /// The refusal as the client receives it: those that are refused for their starts are spread over the time.
    func spread(_ refusal: AdmissionError, of client: ClientKey, at now: Instant) -> AdmissionError {
        guard case .tooManyStarts(let rate, _) = refusal,
            let wait = doors.withLockedValue({ $0.admission.planReturn(of: client, at: now) })
        else { return refusal }
        return .tooManyStarts(rate: rate, retryAfter: wait)
    }

    var openStreams: Int { doors.withLockedValue { $0.admission.openStreams } }

    /// Streams and plain requests.
    var openRequests: Int { doors.withLockedValue { $0.admission.openRequests } }

    func withDoors<Answer>(_ body: (inout GateState) -> Answer) -> Answer { doors.withLockedValue(body) }
}

extension AdmissionGate.GateState {
    fileprivate init(rules: AdmissionGate.Rules, upstreams: [RouteUpstream]) {
        self.init(
            rules: rules, admission: Admission(limits: rules.limits),
            clientBreakers: rules.clientBreaker.map { ClientBreakers(policy: $0) },
            upstreams: UpstreamPool(upstreams.map(\.name), rules: rules.upstreams), targets: upstreams,
            budgets: rules.clientRecords.map { RecordBudgets(rate: $0) })
    }

    fileprivate mutating func apply(_ new: AdmissionGate.Rules, upstreams next: [RouteUpstream], at now: Instant) {
        rules = new
        admission.limits = new.limits
        upstreams.apply(next.map(\.name), rules: new.upstreams, at: now)
        targets = next
        switch (new.clientBreaker, clientBreakers) {
        case (let policy?, _):
            clientBreakers = clientBreakers ?? retiredClients ?? ClientBreakers(policy: policy)
            clientBreakers?.policy = policy
        case (nil, var breakers?):
            breakers.resetAll(at: now)
            (retiredClients, clientBreakers) = (breakers, nil)
        case (nil, nil): break
        }
        // Who has drawn from a budget in the last second may draw a second's worth again: no more than a burst.
        if let rate = new.clientRecords {
            if budgets == nil { budgets = RecordBudgets(rate: rate) } else { budgets?.rate = rate }
        } else {
            budgets = nil
        }
    }

    /// The upstream first: a client must not lose a probe or a start to a request that could not be served.
    mutating func admit(_ client: ClientKey, at now: Instant) throws(AdmissionError) -> Permit.Parts {
        var parts = Permit.Parts()
        let place = try upstreams.admit(at: now)
        (parts.place, parts.upstream) = (place, targets[place.index])
        if let refusal = place.wouldRefuse { parts.wouldRefuse.append(refusal) }
        do throws(AdmissionError) {
            do throws(CircuitBreaker.Refusal) {
                parts.clientTicket = try clientBreakers?.admit(client, at: now)
            } catch {
                try parts.refuse(.clientBreakerOpen(error), isDryRun: rules.isClientBreakerDryRun)
            }
            if let refusal = budgets?.refusal(of: client, at: now) {
                try parts.refuse(refusal, isDryRun: rules.limits.isDryRun)
            }
            parts.admitted = try admission.admit(client, at: now)
        } catch {
            release(client, parts, at: now)
            throw error
        }
        if let refusal = parts.admitted.wouldRefuse { parts.wouldRefuse.append(refusal) }
        parts.quotas = ClientQuotas(
            starts: admission.startsLeft(of: client, at: now), streams: admission.streamsLeft(of: client))
        retries.requestCame(at: now)
        return parts
    }

    /// Gives back the place at the upstream, and what the breakers lent; what was judged before is no longer among the parts.
    mutating func release(_ client: ClientKey, _ parts: Permit.Parts, at now: Instant) {
        if let place = parts.place { upstreams.released(place, at: now) }
        if let ticket = parts.clientTicket { clientBreakers?.released(client, ticket, at: now) }
    }
}
