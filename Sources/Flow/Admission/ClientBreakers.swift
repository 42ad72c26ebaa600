/// One breaker for each client of a route that failed recently.
///
/// A client that has not failed within the last window has no entry: its streams cost one look-up. An entry is added by
/// a failure and removed when its breaker is idle (``CircuitBreaker/isIdle(at:)``), a window after its last failure,
/// verdict or cooldown, and not before: other clients cannot evict it.
///
/// The memory is bounded because a failure takes a stream that was open for a stall timeout. With at most S streams
/// open at a time, and T from a failure until its entry is idle (at most 1.2 cooldowns and a window), at most S * (T /
/// stall timeout + 1) entries matter, and the sweep keeps at most half as many idle ones. With 20,000 streams that do
/// nothing but stall, and the defaults, those are 212,000 entries of about 150 bytes.
///
/// - Complexity: O(1) for each call, and O(entries) for ``openCounts(at:)``, ``notClosed(atMost:at:)``,
///   ``resetAll(at:)`` and a new policy.
package struct ClientBreakers: Sendable {
    /// May be replaced at any time (a reload).
    package var policy: CircuitBreaker.Policy {
        didSet {
            let policy = policy
            breakers.updateAll { $0.policy = policy }
        }
    }
    /// The number of times a breaker opened, over all clients and all time.
    package private(set) var trips = 0

    private var breakers = IdleTable<ClientKey, CircuitBreaker>()
    /// At least the generations of the removed entries, so that a client's generation is never used again.
    private var lastGeneration = 0

    /// Breakers with this policy, for no client yet.
    package init(policy: CircuitBreaker.Policy) { self.policy = policy }

    /// Clients with an entry.
    package var knownClients: Int { breakers.count }

    /// Admits a stream, as a probe if the client's breaker is half-open.
    ///
    /// - Throws: A refusal; then nothing has changed.
    package mutating func admit(
        _ client: ClientKey, at now: Instant
    ) throws(CircuitBreaker.Refusal) -> CircuitBreaker.Ticket {
        breakers.sweep(at: now)
        guard let index = breakers.index(of: client) else { return .unmarked }
        return try breakers[index].admit(at: now)
    }

    /// A stream of the client has delivered `probeRecords` records.
    package mutating func succeeded(_ client: ClientKey, _ ticket: inout CircuitBreaker.Ticket, at now: Instant) {
        guard let index = breakers.index(of: client) else { return }
        breakers[index].succeeded(&ticket, at: now)
    }

    /// A stream of the client failed because of the client.
    ///
    /// - Returns: Whether this opened its breaker.
    package mutating func failed(
        _ client: ClientKey, _ ticket: CircuitBreaker.Ticket, at now: Instant, jitter: Double
    ) -> Bool {
        let index = index(of: client, at: now)
        let isTripped = breakers[index].failed(ticket, at: now, jitter: jitter)
        if isTripped { trips += 1 }
        lastGeneration = max(lastGeneration, breakers[index].lastGeneration)
        return isTripped
    }

    /// Another replica has opened the client's breaker (``CircuitBreaker/opened(until:at:)``).
    package mutating func opened(_ client: ClientKey, until end: Instant, at now: Instant) {
        let index = index(of: client, at: now)
        breakers[index].opened(until: end, at: now)
        lastGeneration = max(lastGeneration, breakers[index].lastGeneration)
    }

    private mutating func index(of client: ClientKey, at now: Instant) -> Int {
        breakers.sweep(at: now)
        return breakers.index(of: client)
            ?? breakers.append(CircuitBreaker(policy: policy, lastGeneration: lastGeneration), for: client)
    }

    /// A stream of the client ended without a verdict.
    package mutating func released(_ client: ClientKey, _ ticket: CircuitBreaker.Ticket, at now: Instant) {
        guard let index = breakers.index(of: client) else { return }
        breakers[index].released(ticket, at: now)
    }

    /// The state of a client's breaker; closed if it has no entry.
    package func state(of client: ClientKey, at now: Instant) -> CircuitBreaker.State {
        breakers.index(of: client).map { breakers[$0].state(at: now) } ?? .closed
    }

    /// The time until a probe of the client is admitted; zero unless its breaker is open.
    package func timeUntilHalfOpen(_ client: ClientKey, at now: Instant) -> Duration {
        breakers.index(of: client).map { breakers[$0].timeUntilHalfOpen(at: now) } ?? .zero
    }

    /// The numbers of breakers that are open and half-open now.
    package func openCounts(at now: Instant) -> (open: Int, halfOpen: Int) {
        breakers.values.reduce(into: (open: 0, halfOpen: 0)) { counts, breaker in
            switch breaker.state(at: now) {
            case .closed: break
            case .open: counts.open += 1
            case .halfOpen: counts.halfOpen += 1
            }
        }
    }

    /// At most `limit` clients whose breaker is not closed, in no order, with its state and the time until half-open.
    package func notClosed(
        atMost limit: Int, at now: Instant
    ) -> [(client: ClientKey, state: CircuitBreaker.State, openFor: Duration)] {
        let open = breakers.members.lazy.filter { $0.value.state(at: now) != .closed }
        return open.prefix(limit).map { ($0.key, $0.value.state(at: now), $0.value.timeUntilHalfOpen(at: now)) }
    }

    /// Closes the breaker of a client by an operator's command.
    package mutating func reset(_ client: ClientKey, at now: Instant) {
        guard let index = breakers.index(of: client) else { return }
        breakers[index].reset(at: now)
        lastGeneration = max(lastGeneration, breakers[index].lastGeneration)
    }

    /// Closes every breaker by an operator's command.
    package mutating func resetAll(at now: Instant) {
        var highest = lastGeneration
        breakers.updateAll { breaker in
            breaker.reset(at: now)
            highest = max(highest, breaker.lastGeneration)
        }
        lastGeneration = highest
    }
}
