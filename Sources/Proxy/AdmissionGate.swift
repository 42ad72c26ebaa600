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
        var upstreamBreaker: CircuitBreaker.Policy?
        var isUpstreamBreakerDryRun = false
        var clientRecords: Rate?
    }

    struct Doors {
        var rules: Rules
        var admission: Admission
        var clientBreakers: ClientBreakers?
        var upstreamBreaker: CircuitBreaker?
        var budgets: RecordBudgets?
        /// Breakers that the rules have switched off: reset, so that no ticket of theirs counts should they come back.
        var retired: (clients: ClientBreakers?, upstream: CircuitBreaker?) = (nil, nil)
    }

    /// Whose breaker it is.
    enum BreakerKind: String, Sendable { case client, upstream }

    /// Is told when a breaker opens or closes, outside of the lock.
    let breakerChanged: @Sendable (BreakerKind, CircuitBreaker.State) -> Void
    private let doors: NIOLockedValueBox<Doors>

    init(rules: Rules, breakerChanged: @escaping @Sendable (BreakerKind, CircuitBreaker.State) -> Void = { _, _ in }) {
        self.breakerChanged = breakerChanged
        doors = NIOLockedValueBox(Doors(rules: rules))
    }

    var rules: Rules { doors.withLockedValue { $0.rules } }

    /// Decides by other rules from now on; what was admitted stays, and counts.
    func apply(_ rules: Rules, at now: Instant) { doors.withLockedValue { $0.apply(rules, at: now) } }

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

    var openStreams: Int { doors.withLockedValue { $0.admission.openStreams } }

    /// Streams and plain requests.
    var openRequests: Int { doors.withLockedValue { $0.admission.openRequests } }

    func withDoors<Answer>(_ body: (inout Doors) -> Answer) -> Answer { doors.withLockedValue(body) }
}

extension AdmissionGate.Doors {
    fileprivate init(rules: AdmissionGate.Rules) {
        self.init(
            rules: rules, admission: Admission(limits: rules.limits),
            clientBreakers: rules.clientBreaker.map { ClientBreakers(policy: $0) },
            upstreamBreaker: rules.upstreamBreaker.map { CircuitBreaker(policy: $0) },
            budgets: rules.clientRecords.map { RecordBudgets(rate: $0) })
    }

    fileprivate mutating func apply(_ new: AdmissionGate.Rules, at now: Instant) {
        rules = new
        admission.limits = new.limits
        switch (new.clientBreaker, clientBreakers) {
        case (let policy?, _):
            clientBreakers = clientBreakers ?? retired.clients ?? ClientBreakers(policy: policy)
            clientBreakers?.policy = policy
        case (nil, var breakers?):
            breakers.resetAll(at: now)
            (retired.clients, clientBreakers) = (breakers, nil)
        case (nil, nil): break
        }
        switch (new.upstreamBreaker, upstreamBreaker) {
        case (let policy?, _):
            upstreamBreaker = upstreamBreaker ?? retired.upstream ?? CircuitBreaker(policy: policy)
            upstreamBreaker?.policy = policy
        case (nil, var breaker?):
            breaker.reset(at: now)
            (retired.upstream, upstreamBreaker) = (breaker, nil)
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
        do throws(CircuitBreaker.Refusal) {
            parts.upstreamTicket = try upstreamBreaker?.admit(at: now)
        } catch {
            try parts.refuse(.upstreamBreakerOpen(error), isDryRun: rules.isUpstreamBreakerDryRun)
        }
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
        parts.startsLeft = admission.startsLeft(of: client, at: now)
        return parts
    }

    /// Gives back what the breakers lent; what was judged before is no longer among the parts.
    mutating func release(_ client: ClientKey, _ parts: Permit.Parts, at now: Instant) {
        if let ticket = parts.upstreamTicket { upstreamBreaker?.released(ticket, at: now) }
        if let ticket = parts.clientTicket { clientBreakers?.released(client, ticket, at: now) }
    }
}
