/// Refuses, for a cooldown, streams of a client or requests to an upstream that failed too often recently.
///
///              trips failures within window             a stream arrives after the cooldown
///     closed ───────────────────────────────▶ open ───────────────────────────────────────▶ halfOpen
///        ▲                                      ▲                                            │    │
///        │                                      └──────────────── one failure ───────────────┘    │
///        └─────────────────────────── `probes` probes have succeeded ─────────────────────────────┘
///
/// A stream keeps the ``Ticket`` of its admission and reports its verdict once: ``failed(_:at:jitter:)``, or
/// ``released(_:at:)`` if it ended without a verdict; before that it may have reported ``succeeded(_:at:)``. A probe is
/// judged by the records it delivers, not by its response, because a stream may last hours.
///
/// Invariants (`CircuitBreakerTests`, `CircuitBreakerModelTests`):
/// 1. Closed: fewer than `trips` failures lie within the last `window`; successes remove none of them.
/// 2. Open: nothing is admitted before the `retryAfter` that was returned; from then on a stream is admitted.
/// 3. Half-open: at most `probes` admitted streams are without a verdict.
/// 4. A generation begins with each trip and each reset. A ticket of an older generation neither trips nor closes the
///    breaker nor counts in its window: its verdict is about a period that the breaker has already handled.
/// 5. A failure of the current generation counts even after the breaker has closed, so that a client cannot read
///    `probeRecords` records and then stall without a penalty.
/// 6. After a whole idle window it equals a new breaker and may be removed: see ``isIdle(at:)``.
///
/// Times may be slightly out of order, because event loops read their clocks before they take the lock.
///
/// - Complexity: O(1) for each call, O(`trips`) for a failure; it allocates only at a failure.
package struct CircuitBreaker: Sendable {
    /// The settings of a breaker.
    package struct Policy: Equatable, Sendable {
        /// Failures within the window that open it; at least 1.
        package let trips: Int
        /// The time for which a failure counts.
        package let window: Duration
        /// The time for which nothing is admitted; up to a fifth longer, so that refused clients do not all retry at
        /// once.
        package let cooldown: Duration
        /// Streams admitted at a time after the cooldown, which must all succeed; at least 1.
        package let probes: Int
        /// Records that a stream must deliver without a stall to succeed.
        package let probeRecords: Int

        package init(trips: Int, window: Duration, cooldown: Duration, probes: Int = 1, probeRecords: Int = 1) {
            precondition(trips >= 1 && probes >= 1, "trips and probes are at least 1")
            self.trips = trips
            self.window = window
            self.cooldown = cooldown
            self.probes = probes
            self.probeRecords = probeRecords
        }
    }

    /// The raw value is the text of problems, logs and metrics.
    package enum State: String, Equatable, Sendable, CaseIterable {
        case closed
        case open
        case halfOpen = "half-open"
    }

    /// The proof of an admission.
    package struct Ticket: Equatable, Sendable {
        let generation: Int
        /// Whether the stream's verdict decides if the breaker closes.
        package fileprivate(set) var isProbe: Bool

        /// The ticket of a stream whose client has no breaker, because it has not failed recently.
        static let unmarked = Ticket(generation: 0, isProbe: false)
    }

    /// The reason for which a stream was not admitted.
    package struct Refusal: Error, Equatable, Sendable {
        /// Open, or half-open with all its probes admitted.
        package let state: State
        /// The time until a stream may be admitted.
        ///
        /// Open, it is exact, jitter included. Half-open, the time of the probes' verdicts is not known: then it is one
        /// second, the minimum of `Retry-After`.
        package let retryAfter: Duration

        package init(state: State, retryAfter: Duration) {
            self.state = state
            self.retryAfter = retryAfter
        }
    }

    private enum Phase {
        case closed
        case open(until: Instant)
        case halfOpen(unjudged: Int, succeeded: Int)
    }

    /// May be replaced at any time (a reload); a running cooldown keeps its end.
    package var policy: Policy
    /// The number of times it opened.
    package private(set) var trips = 0

    private var phase = Phase.closed
    /// Failures that may still count while it is closed; fewer than `policy.trips`.
    private var failures: [Instant] = []
    /// 0 until it has tripped or was reset.
    private var generation = 0
    /// The highest generation so far.
    private(set) var lastGeneration: Int
    /// When it becomes idle.
    private var keptUntil = Instant.distantPast

    /// A closed breaker.
    package init(policy: Policy) { self.init(policy: policy, lastGeneration: 0) }

    /// A breaker for a client that may have had one before, with no generation above `lastGeneration`.
    init(policy: Policy, lastGeneration: Int) {
        self.policy = policy
        self.lastGeneration = lastGeneration
    }

    /// Open until the cooldown has passed, then half-open, also before the first probe.
    package func state(at now: Instant) -> State {
        switch phase {
        case _ where isIdle(at: now): .closed
        case .closed: .closed
        case .open(let until): now < until ? .open : .halfOpen
        case .halfOpen: .halfOpen
        }
    }

    /// The time until a probe is admitted; zero unless it is open.
    package func timeUntilHalfOpen(at now: Instant) -> Duration {
        guard case .open(let until) = phase else { return .zero }
        return max(.zero, until - now)
    }

    /// Whether it equals a new breaker: no failure, cooldown, probe or close within the last window.
    ///
    /// It is kept for a window after its cooldown: a client that waits until it is removed has waited for the cooldown
    /// and a whole window, after which none of the failures that tripped it would count. A probe without a verdict
    /// keeps it as well.
    package func isIdle(at now: Instant) -> Bool {
        if case .halfOpen(1..., _) = phase { return false }
        return now >= keptUntil
    }

    /// Admits a stream, as a probe if the breaker is half-open.
    ///
    /// - Throws: A refusal; then nothing has changed.
    package mutating func admit(at now: Instant) throws(Refusal) -> Ticket {
        forgetIfIdle(at: now)
        switch phase {
        case .closed:
            return Ticket(generation: generation, isProbe: false)
        case .open(let until) where now < until:
            throw Refusal(state: .open, retryAfter: until - now)
        case .open:
            phase = .halfOpen(unjudged: 1, succeeded: 0)
        case .halfOpen(let unjudged, let succeeded):
            guard unjudged < policy.probes else { throw Refusal(state: .halfOpen, retryAfter: .seconds(1)) }
            phase = .halfOpen(unjudged: unjudged + 1, succeeded: succeeded)
        }
        keep(from: now)
        return Ticket(generation: generation, isProbe: true)
    }

    /// A stream has delivered `probeRecords` records without a stall, or a response that is no stream was good.
    ///
    /// Only a probe's success matters. The ticket is no longer a probe's after that, and a later failure still counts.
    package mutating func succeeded(_ ticket: inout Ticket, at now: Instant) {
        defer { ticket.isProbe = false }
        guard ticket.isProbe, ticket.generation == generation, case .halfOpen(let unjudged, let succeeded) = phase
        else {
            return
        }
        keep(from: now)
        if succeeded + 1 >= policy.probes {
            phase = .closed
        } else {
            phase = .halfOpen(unjudged: unjudged - 1, succeeded: succeeded + 1)
        }
    }

    /// A stream failed.
    ///
    /// - Parameters:
    ///   - ticket: Of its admission; not valid afterwards.
    ///   - now: When it failed.
    ///   - jitter: The part of a fifth by which the cooldown is longer, from 0 to 1, if this trips the breaker.
    /// - Returns: Whether this opened the breaker.
    package mutating func failed(_ ticket: Ticket, at now: Instant, jitter: Double) -> Bool {
        forgetIfIdle(at: now)
        guard generation == 0 || ticket.generation == generation else { return false }
        switch phase {
        case .open: return false
        case .halfOpen: break
        case .closed:
            let window = policy.window
            failures.removeAll { now - $0 >= window }
            failures.append(now)
            keep(from: now)
            guard failures.count >= policy.trips else { return false }
        }
        trip(at: now, jitter: jitter)
        return true
    }

    /// A stream ended without a verdict: a probe returns its slot.
    package mutating func released(_ ticket: Ticket, at now: Instant) {
        guard ticket.isProbe, ticket.generation == generation, case .halfOpen(let unjudged, let succeeded) = phase
        else {
            return
        }
        phase = .halfOpen(unjudged: unjudged - 1, succeeded: succeeded)
        keep(from: now)
    }

    /// Another replica's breaker of the same client has opened: this one admits nothing until the same time, and then probes.
    package mutating func opened(until end: Instant, at now: Instant) {
        forgetIfIdle(at: now)
        if case .open(let until) = phase, until >= end { return }
        phase = .open(until: end)
        failures = []
        beginGeneration()
        keep(from: end)
    }

    /// Closes it by an operator's command; the verdicts of open streams are ignored.
    package mutating func reset(at now: Instant) {
        phase = .closed
        failures = []
        beginGeneration()
        keep(from: now)
    }

    private mutating func trip(at now: Instant, jitter: Double) {
        let cooldown = policy.cooldown.nanoseconds
        // Divides first, so that the longest cooldown does not overflow.
        let (length, overflow) = cooldown.addingReportingOverflow(
            Int64(Double(cooldown / 5) * min(max(jitter, 0), 1)))
        let until = now.advanced(byNanoseconds: overflow ? .max : length)
        phase = .open(until: until)
        failures = []
        trips += 1
        beginGeneration()
        keep(from: until)
    }

    private mutating func beginGeneration() {
        lastGeneration += 1
        generation = lastGeneration
    }

    private mutating func keep(from now: Instant) { keptUntil = max(keptUntil, now + policy.window) }

    private mutating func forgetIfIdle(at now: Instant) {
        guard isIdle(at: now), generation != 0 || !failures.isEmpty else { return }
        phase = .closed
        failures = []
        generation = 0
    }
}

extension CircuitBreaker: Idling {}
