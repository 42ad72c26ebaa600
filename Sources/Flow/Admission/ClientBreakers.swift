/// A breaker for each client of a route, kept for those alone that have failed lately.
///
/// A client that has not failed within the last window has no entry, whatever it has open: its streams cost a look-up.
/// An entry is made by a failure and forgotten when its breaker is idle (`CircuitBreaker.isIdle(at:)`), a window after its
/// last failure, verdict or cooldown, and not before: other clients cannot push it out, and it cannot wait it out sooner.
///
/// What bounds the memory: to fail takes a stream that was open for a stall timeout. With at most S streams open at a
/// time, and T from a failure until its entry is idle (at most 1.2 cooldowns and a window), at most
/// S * (T / stall timeout + 1) entries matter, and the sweep lets half as many linger. With 20,000 streams that do
/// nothing but stall, and the defaults, those are 212,000 entries of about 150 bytes.
///
/// - Complexity: O(1) for each call, and O(entries) for ``openCounts(at:)``, ``standing(atMost:at:)``, ``resetAll(at:)`` and a new policy.
package struct ClientBreakers: Sendable {
    /// May be replaced at any time (a reload).
    package var policy: CircuitBreaker.Policy {
        didSet {
            let policy = policy
            breakers.updateAll { $0.policy = policy }
        }
    }
    /// How often a breaker has opened, over all clients and all time.
    package private(set) var trips = 0

    private var breakers = IdleTable<CircuitBreaker>()
    /// Not below the generations of those that were forgotten, so that a client's number never comes again.
    private var lastGeneration = 0

    package init(policy: CircuitBreaker.Policy) { self.policy = policy }

    /// Clients that are remembered.
    package var knownClients: Int { breakers.count }

    /// Lets a stream in, as a probe where the client's breaker is half-open.
    ///
    /// - Throws: A refusal; then nothing has changed.
    package mutating func admit(
        _ client: ClientKey, at now: Instant
    ) throws(CircuitBreaker.Refusal) -> CircuitBreaker.Ticket {
        breakers.sweep(at: now)
        guard let place = breakers.place(of: client) else { return .unmarked }
        return try breakers[place].admit(at: now)
    }

    /// A stream of the client has delivered what a probe must.
    package mutating func succeeded(_ client: ClientKey, _ ticket: inout CircuitBreaker.Ticket, at now: Instant) {
        guard let place = breakers.place(of: client) else { return }
        breakers[place].succeeded(&ticket, at: now)
    }

    /// A stream of the client ended because of the client.
    ///
    /// - Returns: Whether this opened its breaker.
    package mutating func failed(
        _ client: ClientKey, _ ticket: CircuitBreaker.Ticket, at now: Instant, jitter: Double
    ) -> Bool {
        breakers.sweep(at: now)
        let place =
            breakers.place(of: client)
            ?? breakers.append(CircuitBreaker(policy: policy, lastGeneration: lastGeneration), for: client)
        let isTripped = breakers[place].failed(ticket, at: now, jitter: jitter)
        if isTripped { trips += 1 }
        lastGeneration = max(lastGeneration, breakers[place].lastGeneration)
        return isTripped
    }

    /// A stream of the client ended without a verdict.
    package mutating func released(_ client: ClientKey, _ ticket: CircuitBreaker.Ticket, at now: Instant) {
        guard let place = breakers.place(of: client) else { return }
        breakers[place].released(ticket, at: now)
    }

    package func state(of client: ClientKey, at now: Instant) -> CircuitBreaker.State {
        breakers.place(of: client).map { breakers[$0].state(at: now) } ?? .closed
    }

    /// Until the client is let in again to try; zero unless its breaker is open.
    package func timeUntilHalfOpen(_ client: ClientKey, at now: Instant) -> Duration {
        breakers.place(of: client).map { breakers[$0].timeUntilHalfOpen(at: now) } ?? .zero
    }

    /// How many breakers are open and half-open now.
    package func openCounts(at now: Instant) -> (open: Int, halfOpen: Int) {
        breakers.values.reduce(into: (open: 0, halfOpen: 0)) { counts, breaker in
            switch breaker.state(at: now) {
            case .closed: break
            case .open: counts.open += 1
            case .halfOpen: counts.halfOpen += 1
            }
        }
    }

    /// Clients whose breaker is not closed, in no order, and how it stands: at most so many.
    package func standing(
        atMost limit: Int, at now: Instant
    ) -> [(client: ClientKey, state: CircuitBreaker.State, openFor: Duration)] {
        let standing = breakers.members.lazy.filter { $0.value.state(at: now) != .closed }
        return standing.prefix(limit).map { ($0.key, $0.value.state(at: now), $0.value.timeUntilHalfOpen(at: now)) }
    }

    /// Closes the breaker of a client by hand.
    package mutating func reset(_ client: ClientKey, at now: Instant) {
        guard let place = breakers.place(of: client) else { return }
        breakers[place].reset(at: now)
        lastGeneration = max(lastGeneration, breakers[place].lastGeneration)
    }

    /// Closes every breaker by hand.
    package mutating func resetAll(at now: Instant) {
        var highest = lastGeneration
        breakers.updateAll { breaker in
            breaker.reset(at: now)
            highest = max(highest, breaker.lastGeneration)
        }
        lastGeneration = highest
    }
}
