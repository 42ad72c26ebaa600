/// The state of one stream: it takes events and the time, and returns when to pause or resume the upstream and when to
/// end.
///
///     awaitingHead ──headArrived──▶ open ──upstreamEnded──▶ emptying ──emptied──▶ ending ──responseTaken──▶ finished
///          │               │                                   │       responseSent └──▶ sent ──responseTaken──▶ ▲
///          └───────────────┴── clientDisconnected, deadlinePassed, end ───────────────────┴──────────────────────┘
///
/// In addition to its phase it has a client or not (`isDetached`): one that was promised the response for later and has
/// not fetched it, or one that lost its connection and may come back. Without a client nothing is sent, and the stream
/// waits until ``detachedUntil``.
///
/// Invariants, tested in `StreamMachineTests`:
/// 1. The upstream is paused exactly while `causes` is not empty; each pause is followed by one resume, or by the end.
/// 2. `finish` is returned once; after it every event returns `none`.
/// 3. Only the clock of the side that is awaited runs: the upstream's idle clock is stopped while the upstream is
///    paused; the client's ``StallClock`` runs only while bytes are offered that it does not take, and is stopped while
///    the client has paused its stream.
/// 4. Without a client the response never ends; the stream ends at ``detachedUntil``.
/// 5. A response that was sent has its outcome, whatever ends the stream.
package struct StreamMachine: Sendable {

    private enum Phase: Equatable {
        case awaitingHead
        case open
        /// The upstream has ended; the queued records are sent, then the stream ends with this outcome.
        case emptying(Outcome)
        /// The response's end is written; the client's socket has not taken it yet.
        case ending(Outcome)
        /// The socket has taken it; the client's kernel has not acknowledged it yet.
        case sent(Outcome)
        case finished
    }

    package private(set) var limits: Limits
    private let began: Instant
    private var phase = Phase.awaitingHead
    private var causes = PauseCauses()
    private var upstream: UpstreamClock
    /// Begin and end with the cause `queueFull`.
    private var queuePauses = QueuePauses()
    private var stall: StallClock
    /// When the client stopped its own stream, by a pause or without credit.
    private var heldSince: Instant?
    /// When a stream without a client ends; `nil` while it has a client.
    package private(set) var detachedUntil: Instant?
    /// Whether the client was slow and was not ended, because the limit is in a dry run.
    package private(set) var wouldHaveStalled = false
    /// The timeout that ended the upstream's part; `nil` if none has.
    package private(set) var expired: UpstreamTimeout?
    /// Whether the upstream did not begin its response in time, or stopped sending.
    package var hasUpstreamFallenSilent: Bool { expired?.isSilence ?? false }

    /// The number of times that a full queue paused the upstream.
    package var pauses: Int { queuePauses.count }

    /// A stream that awaits the response's head.
    package init(limits: Limits, at now: Instant) {
        self.limits = limits
        began = now
        upstream = UpstreamClock(at: now)
        stall = StallClock(limit: limits.stall)
    }

    /// Whether the upstream is paused, for any cause.
    package var isPaused: Bool { !causes.isEmpty }
    /// Whether a full queue pauses the upstream.
    package var isWaitingForRoom: Bool { queuePauses.since != nil }
    /// Whether `finish` was returned.
    package var isFinished: Bool { phase == .finished }
    /// Whether the response was sent, and only its acknowledgement is awaited.
    package var isSent: Bool { if case .sent = phase { true } else { false } }
    /// Whether the stream has no client at the moment.
    package var isDetached: Bool { detachedUntil != nil }
    /// Whether the client was offered bytes that it has not taken.
    package var isBlocked: Bool { stall.isBlocked }

    /// Whether the upstream has ended, so that only the queued records remain.
    package var isEmptying: Bool { comingEnd != nil }

    /// The outcome after the queued records were sent; `nil` before the upstream's end.
    package var comingEnd: Outcome? {
        if case .emptying(let outcome) = phase { outcome } else { nil }
    }

    /// The time for which a full queue has paused the upstream, the running pause included.
    package func paused(at now: Instant) -> Duration { queuePauses.total(at: now) }

    // MARK: Events of the upstream

    /// The upstream took a part of the request's body, or its end: its clocks restart.
    package mutating func requestTaken(at now: Instant) {
        upstream.requestTaken(at: now)
    }

    /// The upstream would take more of the request's body than has arrived.
    package mutating func requestAwaited() { upstream.requestAwaited() }

    /// The request is sent to another upstream, before a head: its clocks restart.
    package mutating func attemptBegan(at now: Instant) {
        guard phase == .awaitingHead else { return }
        upstream = UpstreamClock(at: now)
        expired = nil
    }

    /// The head of the response arrived, and is not sent before the first record.
    package mutating func headWithheld(at now: Instant) { upstream.headArrived(isWatched: true, at: now) }

    /// The head of the response arrived; `isWatched` if ``recordArrived(at:)`` will report its records.
    package mutating func headArrived(isWatched: Bool = false, at now: Instant) {
        upstream.headArrived(isWatched: isWatched, at: now)
        if phase == .awaitingHead { phase = .open }
    }

    /// A whole record arrived.
    package mutating func recordArrived(at now: Instant) { upstream.recordArrived(at: now) }

    /// Bytes arrived and were queued or passed on.
    package mutating func chunkArrived(at now: Instant, level: QueueLevel) -> Action {
        upstream.heard(at: now)
        stall.queueChanged(isOverSoftMark: level != .low, at: now)
        guard level == .full else { return .none }
        if limits.endsWhenFull, isBehind, phase == .open, isSlowEnforced() { return end(.slowConsumer) }
        return pause(for: .queueFull, at: now)
    }

    /// The upstream has ended, and queued records are still sent.
    ///
    /// Before the head there is no response to end: the stream finishes, and the shell responds with a problem; a
    /// stream without a client waits for one, to send it the problem. After a second call while the queue empties, the
    /// later outcome counts: one of the remaining records was too long to pass.
    package mutating func upstreamEnded(_ outcome: Outcome, at now: Instant) -> Action {
        queuePauses.end(at: now)
        let action: Action
        (phase, action) =
            switch phase {
            case .awaitingHead where !isDetached: (.finished, .finish(outcome))
            case .awaitingHead, .open, .emptying: (.emptying(outcome), .none)
            case .ending, .sent, .finished: (phase, .none)
            }
        return action
    }

    // MARK: Events of the queue and the client

    /// Records left the queue.
    package mutating func recordsSent(level: QueueLevel, at now: Instant) -> Action {
        stall.queueChanged(isOverSoftMark: level != .low, at: now)
        guard causes.contains(.queueFull) else { return .none }
        guard level == .low || (level == .middle && isPauseOld(at: now)) else { return .none }
        return resume(from: .queueFull, at: now)
    }

    /// The last queued record was sent.
    package mutating func emptied() -> Action {
        guard case .emptying(let outcome) = phase, !isDetached else { return .none }
        phase = .ending(outcome)
        return .endResponse(outcome)
    }

    /// The client's socket took the end of the response, and the acknowledgement of its kernel is awaited.
    package mutating func responseSent() {
        guard case .ending(let outcome) = phase else { return }
        phase = .sent(outcome)
        stall.took()
    }

    /// The client has taken the end of the response.
    package mutating func responseTaken() -> Action {
        switch phase {
        case .ending(let outcome), .sent(let outcome): end(outcome)
        case .awaitingHead, .open, .emptying, .finished: .none
        }
    }

    /// The client's socket did not take all offered bytes.
    package mutating func clientStopped(level: QueueLevel, delivery: Delivery? = nil, at now: Instant) -> Action {
        guard phase != .finished, !isDetached else { return .none }
        stall.blocked(isOverSoftMark: level != .low, delivery: delivery, at: now)
        guard level == .full, phase == .open else { return .none }
        if limits.endsWhenFull, isBehind, isSlowEnforced() { return end(.slowConsumer) }
        return pause(for: .queueFull, at: now)
    }

    /// The client's socket took all offered bytes.
    package mutating func clientTook() { stall.took() }

    /// The client has all records that are due: it waits for the pace, for itself or for the upstream.
    package mutating func clientCaughtUp() { stall.caughtUp() }

    /// The number of bytes that the kernel of a blocked client has taken; to be called before ``deadlinePassed(at:)``.
    package mutating func clientLooked(taken: Int, delivery: Delivery? = nil, at now: Instant) {
        stall.looked(taken: taken, delivery: delivery, at: now)
    }

    /// The client stops its own stream: it paused it, or has no credit left.
    package mutating func clientPaused(at now: Instant) { if heldSince == nil { heldSince = now } }

    /// The client has resumed its stream, or has credit again: the clocks of a slow client restart.
    package mutating func clientResumed(at now: Instant) {
        guard heldSince != nil else { return }
        heldSince = nil
        stall.restart(at: now)
    }

    /// The client's connection is lost: the stream ends, or waits for the client if the route has a resume window.
    package mutating func clientDisconnected(at now: Instant) -> Action {
        guard phase != .finished, phase != .awaitingHead, !isDetached, let window = limits.resumeWindow else {
            return end(.clientGone)
        }
        // The bytes after the last record that the client has received are written again.
        switch phase {
        case .ending(let outcome), .sent(let outcome): phase = .emptying(outcome)
        case .awaitingHead, .open, .emptying, .finished: break
        }
        detached(until: .end(of: now, window))
        return .detach
    }

    /// The stream continues without a client, until `end`.
    package mutating func detached(until end: Instant) {
        detachedUntil = end
        stall = StallClock(limit: limits.stall)
    }

    /// The stream has a client again; with a time, one that has a resume window from then on to catch up.
    package mutating func attached(catchesUpFrom begin: Instant? = nil) {
        detachedUntil = nil
        stall = StallClock(
            limit: limits.stall, catchesUpUntil: begin.map { .end(of: $0, limits.resumeWindow) } ?? .distantPast)
    }

    // MARK: Time and commands

    /// Sets other limits, also for the clocks that run: read ``nextDeadline`` again.
    package mutating func setLimits(_ limits: Limits, at now: Instant) {
        self.limits = limits
        stall.setLimit(limits.stall, at: now)
        wouldHaveStalled = wouldHaveStalled && limits.isStallDryRun
    }

    /// Ends the stream now, in any phase; a response that was sent keeps its own outcome.
    package mutating func end(_ outcome: Outcome) -> Action {
        defer { phase = .finished }
        return switch phase {
        case .awaitingHead, .open, .emptying, .ending: .finish(outcome)
        case .sent(let own): .finish(own)
        case .finished: .none
        }
    }

    private mutating func end(after timeout: UpstreamTimeout) -> Action {
        if !isSent { expired = timeout }
        return end(.upstreamTimeout)
    }

    /// When to call ``deadlinePassed(at:)``; `distantFuture` if no clock with a limit runs.
    package var nextDeadline: Instant {
        guard phase != .finished else { return .distantFuture }
        let isOpen = phase == .open
        return min(
            min(
                .end(of: phase == .awaitingHead ? upstream.headAwaitedSince : nil, limits.firstByte),
                .end(of: isOpen ? bytesAwaitedSince : nil, limits.idle),
                recordDeadline,
                .end(of: isOpen ? queuePauses.since : nil, limits.pause),
                .end(of: heldSince, limits.pause)),
            wouldHaveStalled || heldSince != nil ? .distantFuture : stall.nextDeadline,
            detachedUntil ?? .distantFuture,
            .end(of: began, limits.total))
    }

    /// The time has reached ``nextDeadline``, or may have.
    package mutating func deadlinePassed(at now: Instant) -> Action {
        guard phase != .finished, now >= nextDeadline else { return .none }
        if let detachedUntil, now >= detachedUntil { return end(.clientGone) }
        let isPauseOver = phase == .open && Self.isOver(queuePauses.since, limits.pause, at: now)
        if isBehind, stall.isSlow(at: now) || isPauseOver, isSlowEnforced() { return end(.slowConsumer) }
        if Self.isOver(began, limits.total, at: now) { return end(after: .total) }
        if Self.isOver(heldSince, limits.pause, at: now) { return end(.cancelled) }
        switch phase {
        case .awaitingHead where Self.isOver(upstream.headAwaitedSince, limits.firstByte, at: now):
            guard isDetached else { return end(after: .firstByte) }
            return giveUpUpstream(after: .firstByte, at: now)
        case .awaitingHead where now >= recordDeadline:
            expired = .firstRecord
            return .tryAnother
        case .open where isPauseOver: return giveUpUpstream(after: .pause, at: now)
        case .open where Self.isOver(bytesAwaitedSince, limits.idle, at: now):
            return giveUpUpstream(after: .idle, at: now)
        case .open where now >= recordDeadline:
            let isFirst = Self.isOver(upstream.firstRecordAwaitedSince, limits.firstRecord, at: now)
            return giveUpUpstream(after: isFirst ? .firstRecord : .betweenRecords, at: now)
        case .awaitingHead, .open, .emptying, .ending, .sent, .finished: return .none
        }
    }

    /// The begin of the upstream's time for the next bytes; `nil` while something keeps it from sending.
    private var bytesAwaitedSince: Instant? { causes.isEmpty ? upstream.bytesAwaitedSince : nil }

    /// When the upstream has to have sent its next record; `distantFuture` if nothing is required or it is paused.
    private var recordDeadline: Instant {
        switch phase {
        case .awaitingHead: .end(of: upstream.firstRecordAwaitedSince, limits.firstRecord)
        case .open where causes.isEmpty:
            min(
                .end(of: upstream.firstRecordAwaitedSince, limits.firstRecord),
                .end(of: upstream.nextRecordAwaitedSince, limits.betweenRecords))
        case .open, .emptying, .ending, .sent, .finished: .distantFuture
        }
    }

    /// Cancels an upstream that stopped sending, or was paused for too long; the records that it sent are still delivered.
    private mutating func giveUpUpstream(after timeout: UpstreamTimeout, at now: Instant) -> Action {
        expired = timeout
        queuePauses.end(at: now)
        phase = .emptying(.upstreamTimeout)
        return .cancelUpstream
    }

    /// Whether bytes that the client does not take may count against it; not while it has paused its stream.
    package var isBehind: Bool { isBlocked && heldSince == nil }

    /// The client was slow: whether that ends the stream, or is only recorded.
    private mutating func isSlowEnforced() -> Bool {
        wouldHaveStalled = limits.isStallDryRun
        return !limits.isStallDryRun
    }

    private static func isOver(_ since: Instant?, _ limit: TimeLimit?, at now: Instant) -> Bool {
        now >= .end(of: since, limit)
    }

    /// A pause that has lasted half its limit ends with the first free slot, so that a slow pace alone does not reach
    /// the limit.
    private func isPauseOld(at now: Instant) -> Bool {
        Self.isOver(queuePauses.since, limits.pause.map { $0 / 2 }, at: now)
    }

    private mutating func pause(for cause: PauseCauses, at now: Instant) -> Action {
        guard phase == .open, !causes.contains(cause) else { return .none }
        if cause == .queueFull { queuePauses.begin(at: now) }
        defer { causes.insert(cause) }
        return causes.isEmpty ? .pauseUpstream : .none
    }

    private mutating func resume(from cause: PauseCauses, at now: Instant) -> Action {
        guard causes.contains(cause) else { return .none }
        causes.remove(cause)
        if cause == .queueFull { queuePauses.end(at: now) }
        guard causes.isEmpty, phase == .open else { return .none }
        upstream.resumed(at: now)
        return .resumeUpstream
    }
}
