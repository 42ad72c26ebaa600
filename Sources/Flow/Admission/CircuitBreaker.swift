/// Refuses for a while what has failed too often lately: streams of one client, or an upstream.
///
///              trips failures within window             a stream comes after the cooldown
///     closed ───────────────────────────────▶ open ───────────────────────────────────────▶ halfOpen
///        ▲                                      ▲                                            │    │
///        │                                      └──────────────── one failure ───────────────┘    │
///        └─────────────────────────── probes of them have delivered ──────────────────────────────┘
///
/// A stream holds the ``Ticket`` that it was admitted with and reports with it once how it went: ``failed(_:at:jitter:)``,
/// or ``released(_:at:)`` when it ended without a verdict; before that it may have been ``succeeded(_:at:)``. A probe
/// is judged by what it delivers, not by its response: that may last hours.
///
/// Invariants (`CircuitBreakerTests`, `CircuitBreakerModelTests`):
/// 1. Closed, fewer than `trips` failures lie within the last `window`; successes clear none of them.
/// 2. Open, nobody is admitted before the `retryAfter` that was told; from then on somebody is.
/// 3. Half-open, at most `probes` streams are out unjudged.
/// 4. A generation begins with each trip and each reset. A ticket of an older one neither trips nor closes the breaker nor
///    counts in its window: the stream tells of a time that the breaker has answered already.
/// 5. A failure of the present generation counts even after the breaker has closed, so that a client cannot read
///    `probeRecords` records and then stall for free.
/// 6. Idle for a whole window, it is as if new, and whoever forgets it then loses nothing: see ``isIdle(at:)``.
///
/// Times may come a little out of order, as event loops read their clocks before they take the lock.
///
/// - Complexity: O(1) for each call, O(`trips`) for a failure; it allocates at a failure only.
package struct CircuitBreaker: Sendable {
    package struct Policy: Equatable, Sendable {
        /// Failures that open it; at least 1.
        package let trips: Int
        /// How long a failure counts.
        package let window: Duration
        /// How long nobody is admitted; up to a fifth more, so that the refused do not come back in one instant.
        package let cooldown: Duration
        /// Streams that are admitted at a time after that, and that must succeed; at least 1.
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

    /// The raw value is what problems, logs and metrics say.
    package enum State: String, Equatable, Sendable, CaseIterable {
        case closed
        case open
        case halfOpen = "half-open"
    }

    /// What a stream was admitted with.
    package struct Ticket: Equatable, Sendable {
        let generation: Int
        /// Whether the stream decides if the breaker closes again.
        package fileprivate(set) var isProbe: Bool

        /// That of a stream whose client has no breaker, for it has not failed lately.
        static let unmarked = Ticket(generation: 0, isProbe: false)
    }

    /// Why a stream was not admitted.
    package struct Refusal: Error, Equatable, Sendable {
        /// Open, or half-open with all its probes out.
        package let state: State
        /// Until it may be admitted.
        ///
        /// Open, that is exact, jitter and all. Half-open nobody knows when a probe will be judged: then it is one
        /// second, the least that a `Retry-After` can say.
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

    /// May be replaced at any time (a reload); a cooldown that runs keeps its end.
    package var policy: Policy
    /// How often it has opened.
    package private(set) var trips = 0

    private var phase = Phase.closed
    /// Failures that may still count, while it is closed; fewer than `policy.trips`.
    private var failures: [Instant] = []
    /// 0 until it has tripped or was reset.
    private var generation = 0
    /// The highest number that a generation has had.
    private(set) var lastGeneration: Int
    /// Until when it must be remembered.
    private var keptUntil = Instant.distantPast

    package init(policy: Policy) { self.init(policy: policy, lastGeneration: 0) }

    /// A breaker for a client that may have had one before, none of whose generations was above `lastGeneration`.
    init(policy: Policy, lastGeneration: Int) {
        self.policy = policy
        self.lastGeneration = lastGeneration
    }

    /// Open until the cooldown is over, then half-open, although the first probe has yet to come.
    package func state(at now: Instant) -> State {
        switch phase {
        case _ where isIdle(at: now): .closed
        case .closed: .closed
        case .open(let until): now < until ? .open : .halfOpen
        case .halfOpen: .halfOpen
        }
    }

    /// The time until somebody is admitted again; zero unless it is open.
    package func timeUntilHalfOpen(at now: Instant) -> Duration {
        guard case .open(let until) = phase else { return .zero }
        return max(.zero, until - now)
    }

    /// Whether it is as good as new, with no failure, cooldown, probe or closing within the last window.
    ///
    /// So long it is kept after its cooldown: who waits that time out has waited for the cooldown and a whole window, and
    /// of what tripped it nothing would count any more. A probe that is out keeps it as well.
    package func isIdle(at now: Instant) -> Bool {
        if case .halfOpen(1..., _) = phase { return false }
        return now >= keptUntil
    }

    /// Lets a stream in, as a probe where the breaker is half-open.
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

    /// A stream has delivered `probeRecords` records without a stall, or an answer that is no stream was good.
    ///
    /// Only a probe's success matters. The ticket is no probe's from then on, and a later failure still counts.
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

    /// A stream ended badly.
    ///
    /// - Parameters:
    ///   - ticket: With which it was admitted; spent from then on.
    ///   - now: When it failed.
    ///   - jitter: By how much of a fifth the cooldown is longer, from 0 to 1, should this trip the breaker.
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

    /// A stream ended without a verdict: a probe gives its slot back.
    package mutating func released(_ ticket: Ticket, at now: Instant) {
        guard ticket.isProbe, ticket.generation == generation, case .halfOpen(let unjudged, let succeeded) = phase
        else {
            return
        }
        phase = .halfOpen(unjudged: unjudged - 1, succeeded: succeeded)
        keep(from: now)
    }

    /// Closes it by hand; the streams that are open count for nothing.
    package mutating func reset(at now: Instant) {
        phase = .closed
        failures = []
        beginGeneration()
        keep(from: now)
    }

    private mutating func trip(at now: Instant, jitter: Double) {
        let cooldown = policy.cooldown.nanoseconds
        // A fifth by division first, so that the longest cooldown does not overflow.
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
