/// What happens to one stream: told events and the time, it says when to pause or resume the upstream and when to end.
///
///     awaitingHead ──headArrived──▶ open ──upstreamEnded──▶ emptying ──emptied──▶ ending ──responseTaken──▶ finished
///          └───────────────┴── clientLeft, deadlinePassed, end ──┴──────────────────┴────────────────────────▲
///
/// Invariants, tested in `StreamMachineTests`:
/// 1. The upstream is paused exactly while `causes` is not empty; each pause is answered by one resume, or by the end.
/// 2. `finish` is returned once; after it every event returns `none`.
/// 3. Whoever is being waited for has its clock running, and nobody else: the upstream's idle clock stands while the
///    upstream is paused, the client's stall clock runs only while bytes are offered that it does not take.
package struct StreamMachine: Sendable {
    /// The deadlines of a stream, in nanoseconds, with `nil` for none.
    package struct Limits: Equatable, Sendable {
        package var firstByte: Int64?
        package var idle: Int64?
        package var pause: Int64?
        package var stall: Int64?
        package var total: Int64?

        package init(
            firstByte: Duration? = nil, idle: Duration? = nil, pause: Duration? = nil, stall: Duration? = nil,
            total: Duration? = nil
        ) {
            self.firstByte = firstByte?.nanoseconds
            self.idle = idle?.nanoseconds
            self.pause = pause?.nanoseconds
            self.stall = stall?.nanoseconds
            self.total = total?.nanoseconds
        }
    }

    package enum Action: Equatable, Sendable {
        case none
        /// Stop reading from the upstream.
        case pauseUpstream
        /// Read from the upstream again.
        case resumeUpstream
        /// Give the upstream up; what is queued still leaves.
        case cancelUpstream
        /// Nothing more will come: end the response as this outcome demands.
        case endResponse(Outcome)
        /// Stop everything; nothing more is written.
        case finish(Outcome)
    }

    private enum Phase: Equatable {
        case awaitingHead
        case open
        /// The upstream has ended; what is queued still leaves, then the stream ends like this.
        case emptying(Outcome)
        /// The response's end is written; the client's socket has yet to take it.
        case ending(Outcome)
        case finished
    }

    private let limits: Limits
    private let began: Instant
    private var phase = Phase.awaitingHead
    private var causes: PauseCauses = []
    private var lastHeard: Instant
    /// Since when the queue has been full; set and cleared with that cause.
    private var pausedSince: Instant?
    private var stalledSince: Instant?

    /// How often a full queue paused the upstream.
    package private(set) var pauses = 0
    private var pausedNanoseconds: Int64 = 0

    package init(limits: Limits, at now: Instant) {
        self.limits = limits
        began = now
        lastHeard = now
    }

    package var isPaused: Bool { !causes.isEmpty }
    package var isFinished: Bool { phase == .finished }
    package var hasHead: Bool { phase != .awaitingHead }

    /// Whether the upstream has ended, so that what is queued is all that will come.
    package var isEmptying: Bool {
        if case .emptying = phase { true } else { false }
    }

    /// How long a full queue has paused the upstream, the running pause included.
    package func paused(at now: Instant) -> Duration {
        .nanoseconds(pausedNanoseconds + (pausedSince.map { now.nanoseconds - $0.nanoseconds } ?? 0))
    }

    // MARK: Events of the upstream

    package mutating func headArrived(at now: Instant) {
        lastHeard = now
        if phase == .awaitingHead { phase = .open }
    }

    /// Bytes arrived and were queued or passed on.
    package mutating func chunkArrived(at now: Instant, queueIsFull: Bool) -> Action {
        lastHeard = now
        return queueIsFull ? pause(for: .queueFull, at: now) : .none
    }

    /// The upstream has ended, and what is queued still leaves.
    ///
    /// Before the head there is no response to end: the stream finishes, and the shell answers with a problem.
    /// Told again while the queue empties, the later outcome counts: among what is left, a record was too long to pass.
    package mutating func upstreamEnded(_ outcome: Outcome) -> Action {
        let action: Action
        (phase, action) =
            switch phase {
            case .awaitingHead: (.finished, .finish(outcome))
            case .open, .emptying: (.emptying(outcome), .none)
            case .ending, .finished: (phase, .none)
            }
        return action
    }

    // MARK: Events of the queue and the client

    /// Records left the queue.
    package mutating func recordsLeft(queueIsFull: Bool, queueIsLow: Bool, at now: Instant) -> Action {
        guard causes.contains(.queueFull) else { return .none }
        guard queueIsLow || (!queueIsFull && isPauseOld(at: now)) else { return .none }
        return resume(from: .queueFull, at: now)
    }

    /// The last queued record left.
    package mutating func emptied() -> Action {
        guard case .emptying(let outcome) = phase else { return .none }
        phase = .ending(outcome)
        return .endResponse(outcome)
    }

    /// The client's socket took the end of the response.
    package mutating func responseTaken() -> Action {
        guard case .ending(let outcome) = phase else { return .none }
        phase = .finished
        return .finish(outcome)
    }

    /// Bytes were offered that the client's socket did not take.
    package mutating func clientStopped(at now: Instant) {
        if stalledSince == nil { stalledSince = now }
    }

    /// The client's socket took all that was offered.
    package mutating func clientTook() { stalledSince = nil }

    package mutating func clientLeft() -> Action { end(.clientGone) }

    // MARK: Time, and orders from outside

    /// Ends the stream now, whatever it is doing.
    package mutating func end(_ outcome: Outcome) -> Action {
        guard phase != .finished else { return .none }
        phase = .finished
        return .finish(outcome)
    }

    /// When the machine wants to be told the time; `distantFuture` when it waits for nothing with a limit.
    package var nextDeadline: Instant {
        let isOpen = phase == .open
        return min(
            Self.end(of: phase == .awaitingHead ? began : nil, limits.firstByte),
            Self.end(of: isOpen && causes.isEmpty ? lastHeard : nil, limits.idle),
            Self.end(of: isOpen ? pausedSince : nil, limits.pause),
            Self.end(of: stalledSince, limits.stall),
            Self.end(of: began, limits.total))
    }

    package mutating func deadlinePassed(at now: Instant) -> Action {
        guard phase != .finished, now >= nextDeadline else { return .none }
        let isPauseOver = Self.isOver(pausedSince, limits.pause, at: now)
        if Self.isOver(stalledSince, limits.stall, at: now) || (isPauseOver && stalledSince != nil) {
            return end(.slowConsumer)
        }
        guard phase == .open, !Self.isOver(began, limits.total, at: now) else { return end(.upstreamTimeout) }
        // It fell silent, or was held for too long; the records that it sent are the client's all the same.
        phase = .emptying(.upstreamTimeout)
        return .cancelUpstream
    }

    /// When a clock runs out; never, where it does not run or has no limit.
    private static func end(of since: Instant?, _ limit: Int64?) -> Instant {
        guard let since, let limit else { return .distantFuture }
        return since.advanced(byNanoseconds: limit)
    }

    private static func isOver(_ since: Instant?, _ limit: Int64?, at now: Instant) -> Bool {
        now >= end(of: since, limit)
    }

    /// A pause that has lasted half its limit ends with the first free place: a slow pace alone must not run into it.
    private func isPauseOld(at now: Instant) -> Bool {
        Self.isOver(pausedSince, limits.pause.map { $0 / 2 }, at: now)
    }

    private mutating func pause(for cause: PauseCauses, at now: Instant) -> Action {
        guard phase == .open, !causes.contains(cause) else { return .none }
        if cause == .queueFull {
            pauses += 1
            pausedSince = now
        }
        defer { causes.insert(cause) }
        return causes.isEmpty ? .pauseUpstream : .none
    }

    private mutating func resume(from cause: PauseCauses, at now: Instant) -> Action {
        guard causes.contains(cause) else { return .none }
        causes.remove(cause)
        if cause == .queueFull, let since = pausedSince {
            pausedNanoseconds += now.nanoseconds - since.nanoseconds
            pausedSince = nil
        }
        guard causes.isEmpty, phase == .open else { return .none }
        lastHeard = now
        return .resumeUpstream
    }
}
