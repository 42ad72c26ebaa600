package import Flow

/// When one signal is exported: at an interval, again after a failure, and once more when the process stops.
///
///               ┌──────── nothing to export ◀──┐
///               ▼                              │
///     waiting ──interval──▶ collecting ──▶ sending ──accepted, rejected──▶ waiting
///                                            ▲  │
///                                            │  └── retryable, no answer in time ──▶ backing off (at most ``mostAttempts``)
///                                            └──────────── delay ◀─────────────────────┘
///
/// Each event returns what to do next. `ExportCycleTests` checks that a body is sent at most ``mostAttempts`` times, and that
/// after ``drain(until:at:)`` the cycle ends by then.
package struct ExportCycle: Sendable {
    /// What the shell is to do; at ``deadline`` it cancels a request that is under way and calls ``deadlinePassed(at:)``.
    package enum Action: Equatable, Sendable {
        case none
        /// Call ``collected(isEmpty:hasMore:at:)``.
        case collect
        /// Send the body that was collected.
        case send
        /// Forget the body: it was accepted.
        case delivered
        /// Forget the body: it is lost.
        case lose
    }

    private enum State: Equatable {
        case waiting(until: Instant)
        case collecting(until: Instant)
        case sending(attempt: Int, until: Instant)
        /// The receiver may have stated the delay.
        case backingOff(attempt: Int, until: Instant, isStated: Bool)
        case ended
    }

    /// Exports of one body, the first included.
    package static let mostAttempts = 5
    /// The time for one export, and for its collection.
    package static let timeout = Duration.seconds(10)
    /// The delay after the first failure; twice as long after each other one.
    package static let firstDelay = Duration.seconds(1)

    private let interval: Duration
    private var state: State
    /// Until when a process that stops exports what is left.
    private var drainEnd: Instant?
    /// Whether what was left when the process stopped has been collected.
    private var hasCollectedLast = false
    /// Whether there is more to export than the body that was collected.
    private var hasMore = false

    package init(every interval: Duration, at now: Instant) {
        self.interval = interval
        state = .waiting(until: now + interval)
    }

    /// When ``deadlinePassed(at:)`` is due.
    package var deadline: Instant {
        switch state {
        case .waiting(let until), .collecting(let until), .sending(_, let until), .backingOff(_, let until, _): until
        case .ended: .distantFuture
        }
    }

    package var hasEnded: Bool { state == .ended }

    // MARK: Events

    package mutating func deadlinePassed(at now: Instant) -> Action {
        guard now >= deadline else { return .none }
        switch state {
        case .waiting: return collect(at: now)
        case .collecting: return wait(at: now, after: .none)
        case .sending(let attempt, _): return failed(attempt, delay: Self.firstDelay, isStated: false, at: now)
        case .backingOff(let attempt, _, _): return send(attempt + 1, at: now)
        case .ended: return .none
        }
    }

    /// What there is to export was collected.
    ///
    /// - Parameters:
    ///   - isEmpty: Whether it is nothing.
    ///   - hasMore: Whether there is more than fits into one body, which is then collected next.
    ///   - now: The time.
    /// - Returns: `send` if there is something.
    package mutating func collected(isEmpty: Bool, hasMore: Bool = false, at now: Instant) -> Action {
        guard case .collecting = state else { return .none }
        self.hasMore = hasMore
        return isEmpty ? wait(at: now, after: .none) : send(1, at: now)
    }

    /// The receiver answered, or the request failed, which is retryable.
    ///
    /// - Parameters:
    ///   - answer: The meaning of the response.
    ///   - jitter: From 0 to 1, random: instances that failed together do not try again together.
    ///   - now: The time.
    /// - Returns: `lose` if nothing more is tried with the body.
    package mutating func answered(_ answer: ExportAnswer, jitter: Double, at now: Instant) -> Action {
        guard case .sending(let attempt, _) = state else { return .none }
        switch answer {
        case .accepted: return wait(at: now, after: .delivered)
        case .rejected: return wait(at: now, after: .lose)
        case .retryable(let after):
            let delay = Self.firstDelay * (1 << (attempt - 1))
            // At least what the receiver stated.
            return failed(
                attempt, delay: max(after ?? .zero, delay * (0.5 + 0.5 * jitter)), isStated: after != nil, at: now)
        }
    }

    /// The process stops: exports what is left at once, and ends by then.
    package mutating func drain(until end: Instant, at now: Instant) -> Action {
        guard drainEnd == nil, !hasEnded else { return .none }
        drainEnd = end
        switch state {
        case .waiting: return collect(at: now)
        case .collecting(let until): state = .collecting(until: min(until, end))
        case .sending(let attempt, let until): state = .sending(attempt: attempt, until: min(until, end))
        // A receiver that was down may have returned; one that stated a time is not asked before that.
        case .backingOff(let attempt, _, isStated: false): return send(attempt + 1, at: now)
        case .backingOff(_, let until, isStated: true): if until >= end { return wait(at: now, after: .lose) }
        case .ended: break
        }
        return .none
    }

    // MARK: Transitions

    private mutating func collect(at now: Instant) -> Action {
        if let drainEnd {
            guard now < drainEnd else { return end(after: .none) }
            hasCollectedLast = true
        }
        hasMore = false
        state = .collecting(until: limited(now + Self.timeout))
        return .collect
    }

    private mutating func send(_ attempt: Int, at now: Instant) -> Action {
        state = .sending(attempt: attempt, until: limited(now + Self.timeout))
        return .send
    }

    private mutating func failed(_ attempt: Int, delay: Duration, isStated: Bool, at now: Instant) -> Action {
        let next = now + delay
        guard attempt < Self.mostAttempts, drainEnd.map({ next < $0 }) ?? true else {
            return wait(at: now, after: .lose)
        }
        state = .backingOff(attempt: attempt, until: next, isStated: isStated)
        return .none
    }

    private mutating func wait(at now: Instant, after action: Action) -> Action {
        if drainEnd != nil, hasCollectedLast, !hasMore { return end(after: action) }
        state = .waiting(until: hasMore || drainEnd != nil ? now : now + interval)
        return action
    }

    private mutating func end(after action: Action) -> Action {
        state = .ended
        return action
    }

    private func limited(_ instant: Instant) -> Instant { drainEnd.map { min(instant, $0) } ?? instant }
}
