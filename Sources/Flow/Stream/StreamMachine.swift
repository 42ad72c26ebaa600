/// What happens to one stream: told events and the time, it says when to pause or resume the upstream and when to end.
///
///     awaitingHead ──headArrived──▶ open ──upstreamEnded──▶ emptying ──emptied──▶ ending ──responseTaken──▶ finished
///          └───────────────┴── clientLeft, deadlinePassed, end ──┴──────────────────┴────────────────────────▲
///
/// Beside its phase it has a client or not (`isDetached`): one that was promised the answer for later and has not come
/// for it, or that lost its connection and may come back. Without one nothing leaves, and the stream waits so long.
///
/// Invariants, tested in `StreamMachineTests`:
/// 1. The upstream is paused exactly while `causes` is not empty; each pause is answered by one resume, or by the end.
/// 2. `finish` is returned once; after it every event returns `none`.
/// 3. Whoever is being waited for has its clock running, and nobody else: the upstream's idle clock stands while the
///    upstream is paused, the client's ``StallClock`` runs only while bytes are offered that it does not take, and stands
///    while it holds its stream back.
/// 4. Without a client the response never ends; the stream ends when the client's time is up.
package struct StreamMachine: Sendable {
    /// The deadlines of a stream, in nanoseconds, with `nil` for none.
    package struct Limits: Equatable, Sendable {
        package var firstByte: Int64?
        package var idle: Int64?
        package var pause: Int64?
        package var stall: Int64?
        package var total: Int64?
        /// How long a client that lost its connection may take to come back; `nil` where it may not.
        package var resumeWindow: Int64?
        /// A client that is held up when the queue is full is a slow consumer at once (`overflow: disconnect`).
        package var endsWhenFull = false
        /// A slow consumer is noted, and goes on.
        package var isStallDryRun = false

        package init(
            firstByte: Duration? = nil, idle: Duration? = nil, pause: Duration? = nil, stall: Duration? = nil,
            total: Duration? = nil, resumeWindow: Duration? = nil, endsWhenFull: Bool = false,
            isStallDryRun: Bool = false
        ) {
            self.firstByte = firstByte?.nanoseconds
            self.idle = idle?.nanoseconds
            self.pause = pause?.nanoseconds
            self.stall = stall?.nanoseconds
            self.total = total?.nanoseconds
            self.resumeWindow = resumeWindow?.nanoseconds
            self.endsWhenFull = endsWhenFull
            self.isStallDryRun = isStallDryRun
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
        /// The client is gone and may come back: keep what is queued for it, and tell ``attached()`` when it does.
        case detach
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

    package private(set) var limits: Limits
    private let began: Instant
    private var phase = Phase.awaitingHead
    private var causes: PauseCauses = []
    private var lastHeard: Instant
    /// Since when the upstream has had what it needs to begin to answer.
    private var asked: Instant
    /// Whether the upstream waits for more of the request: none of its clocks runs.
    private var isOwedRequest = false
    /// Since when the queue has been full; set and cleared with that cause.
    private var pausedSince: Instant?
    private var stall: StallClock
    /// Since when the client has held its own stream back, by a pause or without credit.
    private var heldSince: Instant?
    /// Until when a stream without a client waits for it.
    package private(set) var detachedUntil: Instant?
    /// Whether the client was found slow and let be, for a trial of the limit.
    package private(set) var wouldHaveStalled = false
    /// Whether the upstream did not begin to answer in time, or said nothing more.
    package private(set) var hasUpstreamFallenSilent = false

    /// How often a full queue paused the upstream.
    package private(set) var pauses = 0
    private var pausedNanoseconds: Int64 = 0

    package init(limits: Limits, at now: Instant) {
        self.limits = limits
        began = now
        lastHeard = now
        asked = now
        stall = StallClock(limit: limits.stall)
    }

    package var isPaused: Bool { !causes.isEmpty }
    /// Whether a full queue keeps the upstream waiting.
    package var isWaitingForRoom: Bool { pausedSince != nil }
    package var isFinished: Bool { phase == .finished }
    /// Whether nobody reads the response at the moment.
    package var isDetached: Bool { detachedUntil != nil }
    /// Whether the client was offered bytes that it has not taken.
    package var isHeldUp: Bool { stall.isHeldUp }

    /// Whether the upstream has ended, so that what is queued is all that will come.
    package var isEmptying: Bool { comingEnd != nil }

    /// How the stream will end once what is queued has left; `nil` before the upstream's end.
    package var comingEnd: Outcome? {
        if case .emptying(let outcome) = phase { outcome } else { nil }
    }

    /// How long a full queue has paused the upstream, the running pause included.
    package func paused(at now: Instant) -> Duration {
        .nanoseconds(pausedNanoseconds + (pausedSince.map { now.nanoseconds - $0.nanoseconds } ?? 0))
    }

    // MARK: Events of the upstream

    /// It took some of the request's body, or learned its end: from here on it has its whole time again.
    package mutating func requestTaken(at now: Instant) {
        (asked, lastHeard) = (now, now)
        isOwedRequest = false
    }

    /// It would take more of the request's body than has come.
    package mutating func requestAwaited() { isOwedRequest = true }

    package mutating func headArrived(at now: Instant) {
        lastHeard = now
        if phase == .awaitingHead { phase = .open }
    }

    /// Bytes arrived and were queued or passed on.
    package mutating func chunkArrived(at now: Instant, level: QueueLevel) -> Action {
        lastHeard = now
        stall.queueChanged(isOverSoftMark: level != .low, at: now)
        guard level == .full else { return .none }
        if limits.endsWhenFull, isBehind, phase == .open, isSlowEnforced() { return end(.slowConsumer) }
        return pause(for: .queueFull, at: now)
    }

    /// The upstream has ended, and what is queued still leaves.
    ///
    /// Before the head there is no response to end: the stream finishes, and the shell answers with a problem; one without
    /// a client waits for it, to tell it.
    /// Told again while the queue empties, the later outcome counts: among what is left, a record was too long to pass.
    package mutating func upstreamEnded(_ outcome: Outcome, at now: Instant) -> Action {
        endPause(at: now)
        let action: Action
        (phase, action) =
            switch phase {
            case .awaitingHead where !isDetached: (.finished, .finish(outcome))
            case .awaitingHead, .open, .emptying: (.emptying(outcome), .none)
            case .ending, .finished: (phase, .none)
            }
        return action
    }

    // MARK: Events of the queue and the client

    /// Records left the queue.
    package mutating func recordsLeft(level: QueueLevel, at now: Instant) -> Action {
        stall.queueChanged(isOverSoftMark: level != .low, at: now)
        guard causes.contains(.queueFull) else { return .none }
        guard level == .low || (level == .middle && isPauseOld(at: now)) else { return .none }
        return resume(from: .queueFull, at: now)
    }

    /// The last queued record left.
    package mutating func emptied() -> Action {
        guard case .emptying(let outcome) = phase, !isDetached else { return .none }
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
    package mutating func clientStopped(level: QueueLevel, delivery: Delivery? = nil, at now: Instant) -> Action {
        guard phase != .finished, !isDetached else { return .none }
        stall.heldUp(isOverSoftMark: level != .low, delivery: delivery, at: now)
        guard level == .full, phase == .open else { return .none }
        if limits.endsWhenFull, isBehind, isSlowEnforced() { return end(.slowConsumer) }
        return pause(for: .queueFull, at: now)
    }

    /// The client's socket took all that was offered.
    package mutating func clientTook() { stall.took() }

    /// The client has all that is due: it waits for the pace, for itself or for the upstream.
    package mutating func clientCaughtUp() { stall.caughtUp() }

    /// While it is held up, the client's kernel has taken so many bytes; to be told before ``deadlinePassed(at:)``.
    package mutating func clientLooked(taken: Int, delivery: Delivery? = nil, at now: Instant) {
        stall.looked(taken: taken, delivery: delivery, at: now)
    }

    /// The client holds its stream back: it asked for a pause, or has no credit left.
    package mutating func clientHolds(at now: Instant) { if heldSince == nil { heldSince = now } }

    package mutating func clientHoldsNoMore(at now: Instant) {
        guard heldSince != nil else { return }
        heldSince = nil
        stall.restart(at: now)
    }

    package mutating func clientLeft(at now: Instant) -> Action {
        guard phase != .finished, phase != .awaitingHead, !isDetached, let window = limits.resumeWindow else {
            return end(.clientGone)
        }
        // What was written behind the last record that the client has is written again.
        if case .ending(let outcome) = phase { phase = .emptying(outcome) }
        detached(until: now.advanced(byNanoseconds: window))
        return .detach
    }

    /// The stream goes on without a client, for so long.
    package mutating func detached(until end: Instant) {
        detachedUntil = end
        stall = StallClock(limit: limits.stall)
    }

    /// There is a client to write to again.
    package mutating func attached() {
        detachedUntil = nil
        stall = StallClock(limit: limits.stall)
    }

    // MARK: Time, and orders from outside

    /// Other limits count from now on, for what goes on already as well: ask for ``nextDeadline`` again.
    package mutating func setLimits(_ limits: Limits, at now: Instant) {
        self.limits = limits
        stall.setLimit(limits.stall, at: now)
        wouldHaveStalled = wouldHaveStalled && limits.isStallDryRun
    }

    /// Ends the stream now, whatever it is doing.
    package mutating func end(_ outcome: Outcome) -> Action {
        guard phase != .finished else { return .none }
        phase = .finished
        return .finish(outcome)
    }

    /// When the machine wants to be told the time; `distantFuture` when it waits for nothing with a limit.
    package var nextDeadline: Instant {
        guard phase != .finished else { return .distantFuture }
        let isOpen = phase == .open
        return min(
            min(
                Self.end(of: phase == .awaitingHead && !isOwedRequest ? asked : nil, limits.firstByte),
                Self.end(of: isOpen && isUpstreamAwaited ? lastHeard : nil, limits.idle),
                Self.end(of: isOpen ? pausedSince : nil, limits.pause),
                Self.end(of: heldSince, limits.pause)),
            wouldHaveStalled || heldSince != nil ? .distantFuture : stall.nextDeadline,
            detachedUntil ?? .distantFuture,
            Self.end(of: began, limits.total))
    }

    package mutating func deadlinePassed(at now: Instant) -> Action {
        guard phase != .finished, now >= nextDeadline else { return .none }
        if let detachedUntil, now >= detachedUntil { return end(.clientGone) }
        let isPauseOver = phase == .open && Self.isOver(pausedSince, limits.pause, at: now)
        if isBehind, stall.isSlow(at: now) || isPauseOver, isSlowEnforced() { return end(.slowConsumer) }
        if Self.isOver(began, limits.total, at: now) { return end(.upstreamTimeout) }
        if Self.isOver(heldSince, limits.pause, at: now) { return end(.cancelled) }
        switch phase {
        case .awaitingHead where !isOwedRequest && Self.isOver(asked, limits.firstByte, at: now):
            hasUpstreamFallenSilent = true
            guard isDetached else { return end(.upstreamTimeout) }
            return giveUpUpstream(at: now)
        case .open where isPauseOver || (isUpstreamAwaited && Self.isOver(lastHeard, limits.idle, at: now)):
            hasUpstreamFallenSilent = !isPauseOver
            return giveUpUpstream(at: now)
        case .awaitingHead, .open, .emptying, .ending, .finished: return .none
        }
    }

    /// Whether it is the upstream's turn: nothing keeps it from sending.
    private var isUpstreamAwaited: Bool { causes.isEmpty && !isOwedRequest }

    /// It fell silent, or was held for too long; the records that it sent are the client's all the same.
    private mutating func giveUpUpstream(at now: Instant) -> Action {
        endPause(at: now)
        phase = .emptying(.upstreamTimeout)
        return .cancelUpstream
    }

    /// Whether what the client does not take may count against it; not while it holds its stream back, which is its right.
    private var isBehind: Bool { isHeldUp && heldSince == nil }

    /// The client was found slow: whether that ends the stream, or is noted alone.
    private mutating func isSlowEnforced() -> Bool {
        wouldHaveStalled = limits.isStallDryRun
        return !limits.isStallDryRun
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
        if cause == .queueFull { endPause(at: now) }
        guard causes.isEmpty, phase == .open else { return .none }
        lastHeard = now
        return .resumeUpstream
    }

    private mutating func endPause(at now: Instant) {
        guard let since = pausedSince else { return }
        pausedNanoseconds += now.nanoseconds - since.nanoseconds
        pausedSince = nil
    }
}
