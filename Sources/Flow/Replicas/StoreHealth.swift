/// Whether the store is used: a breaker of its own.
///
/// The first failure opens it: one start may have waited for that, none after it does. While it is open one command at
/// a time probes the store, after pauses that double; the times of replicas differ, and so do those of their return.
///
/// ```
///   up ──failed──▶ down ──pause is over──▶ probing ──answered──▶ rejoining ──delay is over──▶ up
///                   ▲                         │ failed                │ failed
///                   └─────────────────────────┴───────────────────────┘
/// ```
///
/// It also counts the replicas. After a loss of the store's data the others register again one after the other, and the first
/// counts only itself: a part of a limit that is computed from that count would be the whole limit.
///
/// Invariants (`StoreHealthTests`):
/// 1. A start waits only while it is up.
/// 2. In each state but `up`, the next change has a time.
/// 3. The share of a limit without the store is never zero and never more than the limit.
/// 4. The number of replicas rises with each report, and falls only with one that contains all that still register.
package struct StoreHealth: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case up
        case down(until: Instant)
        /// One command is under way.
        case probing
        /// The store has answered; this replica uses it from then on.
        case rejoining(until: Instant)
    }

    package private(set) var state: State
    /// The replicas by which limits are divided, this one included; at least 1.
    package private(set) var replicas = 1
    /// The replicas of the last report, which may be incomplete.
    private var reported = 1
    /// When all that still register are contained in the store's reports.
    private var completeFrom = Instant.distantPast
    private var lastAnswer: Instant
    /// Failures since the last answer, for the length of the pause.
    private var failures = 0

    private static let shortestPause = Duration.milliseconds(100), longestPause = Duration.seconds(5)
    private static let longestRejoin = Duration.seconds(1)
    /// How long the store certainly keeps what others have written before its last answer.
    private static let certainLife = ReplicaTimes.timeToLive - ReplicaTimes.rewrite

    /// Begins with a probe: weir starts without the store.
    package init(at now: Instant) { (state, lastAnswer) = (.down(until: now), now) }

    /// Whether a start asks the store and waits for its answer.
    package var isUp: Bool { state == .up }

    /// Whether the last command has failed, and no probe is under way.
    var isDown: Bool { if case .down = state { true } else { false } }

    /// Begins what is due, and returns whether a probe is to be sent now.
    package mutating func isProbeDue(at now: Instant) -> Bool {
        switch state {
        case .down(let until) where now >= until:
            state = .probing
            return true
        case .rejoining(let until) where now >= until:
            state = .up
            return false
        case .up, .down, .probing, .rejoining: return false
        }
    }

    /// A command was answered.
    ///
    /// - Parameters:
    ///   - jitter: From 0 to 1; a different one for each replica and call.
    ///   - now: The time.
    /// - Returns: Whether the store is back: everything has to be written again.
    package mutating func answered(jitter: Double, at now: Instant) -> Bool {
        if now - lastAnswer > Self.certainLife { registrationsLost(at: now) }
        lastAnswer = now
        guard state == .probing else { return false }
        // The first probe of a process has no failure before it: nothing to spread.
        let delay = failures == 0 ? .zero : Self.longestRejoin * jitter
        (state, failures) = (.rejoining(until: now + delay), 0)
        return true
    }

    /// The store may have lost the registrations of others: they need some time to register again.
    package mutating func registrationsLost(at now: Instant) { completeFrom = now + ReplicaTimes.grace }

    /// The store has reported the number of replicas that have registered in time.
    package mutating func counted(replicas count: Int, at now: Instant) {
        reported = max(1, count)
        replicas = now < completeFrom ? max(replicas, reported) : reported
    }

    /// A command has failed, or was not answered in time.
    package mutating func failed(jitter: Double, at now: Instant) {
        if case .down = state { return }
        let doubled = Self.shortestPause * (1 << min(failures, 6))
        failures += 1
        state = .down(until: now + min(Self.longestPause, doubled) * (0.5 + jitter / 2))
    }

    /// When ``isProbeDue(at:)`` is to be called next; `nil` if nothing is due.
    package var deadline: Instant? {
        switch state {
        case .up, .probing: nil
        case .down(let until), .rejoining(let until): until
        }
    }

    /// This replica's part of a limit while the store is not used.
    package func fallback(of limit: Int) -> Int { max(1, limit / replicas) }

    /// This replica's part of a rate while the store is not used.
    func fallback(of limit: Int64) -> Int64 { max(1, limit / Int64(replicas)) }

    /// An equal part of a rate for each replica that the store has reported.
    package func equalPart(of limit: Int64) -> Int64 { limit / Int64(reported) }
}
