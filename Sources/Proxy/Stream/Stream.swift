import Downstream
import Flow
import NIOHTTP1
import OTLP
import Observability
import Settings
import Upstream

/// One request and its response between a client and an upstream: reports events to the ``StreamMachine`` and performs
/// what it decides.
///
///     UpstreamExchange ──head, bytes, end──▶ Stream ──▶ RecordPipe ──▶ client
///            ▲                                │ ▲
///            └── pause, resume, cancel ───────┘ └── room, stop, feedback, time
///
/// It lives on one event loop, its ``StreamHost``; no lock is taken for a record. What the client does is in
/// `Stream+Client.swift`, the end in `Stream+End.swift`.
final class Stream {
    let host: any StreamHost
    let id: StreamId
    let request: StreamRequest
    var machine: StreamMachine
    let pipe: RecordPipe
    let upstream: UpstreamExchange
    /// The response's head; `nil` before it arrived.
    var head: ResponseHead?
    /// `nil` unless the client prefers to fetch the response later (`Prefer: respond-async`).
    var promise: Promise?
    /// `nil` until it is admitted.
    var permit: Permit?
    var account: StreamAccount
    var timers: StreamTimers
    /// Among the open streams of its loop; theirs to set.
    var openIndex = 0

    var isStream: Bool { pipe.format != nil }
    var isAdmitted: Bool { permit != nil }
    var hasClient: Bool { pipe.response != nil }
    var route: ProxyRoute { request.route }
    var began: Instant { account.began }

    init(_ request: StreamRequest, to response: any ClientResponse, on host: any StreamHost, at now: Instant) {
        self.host = host
        id = host.requestLog.nextId()
        self.request = request
        machine = StreamMachine(limits: request.machineLimits, at: now)
        pipe = RecordPipe(
            terms: request.terms, policy: request.route.policy(of: request.tier), response: response, at: now)
        upstream = UpstreamExchange(on: host, body: RepeatableBody(request.body, keepingUpTo: request.keptBytes))
        request.body = nil  // the exchange owns it
        account = StreamAccount(
            host.metrics(of: request.route), trace: host.requestLog.trace(request.request.trace, from: now), at: now)
        timers = StreamTimers(on: host.timers)
        upstream.stream = self
        response.delegate = self
    }

    // MARK: Begin and end

    /// Sends the request to the upstream that the permit is for; the permit is the stream's until its end.
    func start(_ permit: consuming Permit) {
        self.permit = consume permit
        begin()
    }

    /// Sends the request to the upstream that the stream's permit is for.
    func begin() {
        for refusal in permit?.wouldRefuse ?? [] { account.noteDryRun(Problem(refusal).kind) }
        if let displaced = permit?.begin() { host.endDisplaced(displaced) }
        if let time = permit?.trialTime { timers.set(.trial, at: host.now() + time, for: self) }
        setDeadline()
        if case .refused(let cause) = request.sharing { account.metrics.tally.sharingRefusals[cause] += 1 }
        if case .shared(let key, let join) = request.sharing {
            guard joins(by: key, at: join) else { return }
        } else {
            guard prepareAttempt() else { return }
        }
        logStart()
        upstream.start()
    }

    /// Makes the request to the upstream that the permit is for ready.
    ///
    /// - Returns: Whether it is; if not, the stream has ended, or another upstream was tried.
    func prepareAttempt() -> Bool {
        guard let target = permit?.upstream else { return false }
        account.attempt(at: target.name)
        if let trace = account.trace { request.request.trace = trace.attemptBegan(at: target.name, host.now()) }
        if upstream.prepare(request, at: target) { return true }
        upstreamEnded(upstream.error)
        return false
    }

    /// Ends the stream from outside.
    func end(_ outcome: Outcome, problem: Problem? = nil) {
        if let problem { account.problem = problem }
        perform(machine.end(outcome))
    }

    // MARK: Records

    /// Sends queued records as far as the pace and the client allow.
    func pump(at now: Instant) {
        guard !machine.isFinished else { return }
        var sent: RecordPipe.Sent
        var hasSent = false
        repeat {
            sent = pipe.pump(isLast: machine.isEmptying, at: now)
            account.sent(sent.run, at: now)
            hasSent = hasSent || sent.run.bytes > 0
        } while resolve(sent.stop, at: now)
        settle(at: now)
        if hasSent {
            if pipe.pacer.isStoppedByClient { noteHold(at: now) }
            perform(machine.recordsSent(level: pipe.queue.level, at: now))
        }
        waitForPace(hasRoom: sent.hasRoom)
        if machine.isEmptying, pipe.queue.isEmpty {
            if pipe.reportedLoss > 0 { reportLoss(pipe.reportedLoss) }
            perform(machine.emptied())
        }
        countBytes()
    }

    /// Provides what the pipe stopped for.
    ///
    /// - Returns: Whether it can continue now.
    private func resolve(_ stop: RecordPipe.Stop, at now: Instant) -> Bool {
        switch stop {
        case .waiting: return false
        case .loss(let records): reportLoss(records)
        case .lease(let records): pipe.lease(drawLease(upTo: records, at: now))
        case .failed(let failure):
            framingFailed(failure, at: now)
            return false
        }
        return true
    }

    /// Draws records from the budget that the client's streams share; `nil` if there is none any more.
    private func drawLease(upTo records: Int, at now: Instant) -> RecordDraw? {
        settle(at: now)
        guard let draw = permit?.draw(upTo: records, over: host.replicas, at: now) else { return nil }
        guard route.settings.streams.isDryRun, draw.time > now else { return draw }
        account.noteDryRun(.rateLimit)
        guard case .lease(let granted, _) = draw else { return .lease(records: records, notBefore: now) }
        permit?.giveBack(granted, at: now)
        return .lease(records: granted, notBefore: now)
    }

    /// Charges what was sent beyond the leases, so that it delays the client's other streams and its next start.
    private func settle(at now: Instant) {
        if pipe.pacer.isUnsettled { permit?.settle(pipe.pacer.settle(), at: now) }
    }

    func waitForPace(hasRoom: Bool) {
        guard hasRoom, !machine.isFinished else { return }
        machine.clientCaughtUp()
        if let due = pipe.nextDue { timers.set(.pace, at: due, for: self) }
    }

    /// Reports the memory that the stream uses to the ceiling over all streams.
    func countBytes() {
        let held = pipe.heldBytes + upstream.heldBytes
        // At its end the stream has returned all of it, and uses none after that.
        guard held != account.countedBytes, !machine.isFinished else { return }
        host.bufferChanged(by: account.countBytes(held))
    }

    // MARK: What the machine decides

    func perform(_ action: StreamMachine.Action) {
        switch action {
        case .none: break
        case .pauseUpstream:
            upstream.pause()
            account.upstreamPaused(by: pauseCause)
            notePause(at: host.now())
            setDeadline()
        case .resumeUpstream:
            upstream.resume()
            notePause(at: host.now())
            setDeadline()
        case .cancelUpstream:
            let now = host.now()
            giveUpUpstream()
            notePause(at: now)
            keepFailure(at: now)
            pump(at: now)
        case .tryAnother: firstRecordIsLate(at: host.now())
        case .endResponse(.completed): completeResponse()
        case .endResponse(let outcome): breakOffResponse(outcome, at: host.now())
        case .detach: detach(at: host.now())
        case .finish(let outcome): finish(outcome)
        }
    }

    /// Nothing more is needed of the upstream than the whole records that it has sent.
    private func giveUpUpstream() {
        upstream.cancel()
        pipe.dropUnframed()
    }

    /// A promised stream that fails before its head waits for its client, to report the failure, as long as one that is
    /// ready.
    func keepFailure(at now: Instant) {
        guard head == nil, machine.isDetached, !machine.isFinished else { return }
        machine.detached(until: now + promiseExpiry)
        setDeadline()
    }

    func setDeadline() { timers.advance(.deadline, to: machine.nextDeadline, for: self) }

    /// Follows the pauses of the upstream; to be called after each event that may have changed them.
    func notePause(at now: Instant) { account.notePause(machine.isWaitingForRoom ? pauseCause : nil, at: now) }

    private var pauseCause: PauseLog.Cause { status.pauseCause(clientHasRoom: pipe.response?.room != 0) }
}

// MARK: - Time

extension Stream: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        switch timers.purpose(of: timer) {
        case .pace: paceIsDue(timer.due, at: now)
        case .trial: permit?.provedGood(at: now)
        case .heartbeat: heartbeatIsDue(at: now)
        case .deadline:
            if machine.isBlocked { lookAtClient(at: now) }
            perform(machine.deadlinePassed(at: now))
            if !machine.isFinished { setDeadline() }
        case nil: break
        }
    }

    private func paceIsDue(_ due: Instant, at now: Instant) {
        let sent = account.totals.records
        pump(at: now)
        // Not if the client had no room: then the delay is its own.
        if account.totals.records > sent { account.pacedRecordsSent(due: due, at: now) }
    }

    private func heartbeatIsDue(at now: Instant) {
        guard !machine.isFinished else { return }
        account.sent(own: pipe.sendHeartbeat(at: now))
        if let due = pipe.heartbeat?.due { timers.set(.heartbeat, at: due, for: self) }
    }
}

// MARK: - The upstream

extension Stream {
    /// Passes an informational head on (RFC 9110, section 15.2); a client that comes later has missed it.
    func interimArrived(_ head: UpstreamResponseHead) {
        var headers = ResponseHead.fields(of: head, to: request)
        // RFC 9110, section 8.6: no informational response has a length.
        headers.remove(name: "content-length")
        pipe.response?.writeInterim(
            HTTPResponseStatus(statusCode: head.status, reasonPhrase: head.reason), headers: headers)
    }

    func headArrived(_ received: consuming UpstreamResponseHead) {
        let now = host.now()
        permit?.upstream?.history.headArrived(after: now - began)
        account.trace?.headArrived(status: received.status)
        if request.requiresRecords, let format = ResponseKind(received, to: request).format {
            upstream.watch = route.recordWatch(of: format)
        }
        if !withholds(received, at: now) { beginResponse(received, at: now) }
    }

    /// Passes the head on.
    func beginResponse(_ received: consuming UpstreamResponseHead, at now: Instant) {
        machine.headArrived(isWatched: upstream.watch != nil, at: now)
        upstream.responseBegan()
        promise?.headArrived()
        let kind = ResponseKind(received, to: request)
        if let cause = kind.unmeteredCause {
            account.unmetered(cause)
            route.warnings.unmetered(
                kind, type: received.headers.first(name: "content-type"), to: host.process, at: now)
        }
        account.headArrived(
            status: received.status, isStream: kind.format != nil,
            isDelimitedByClose: received.isDelimitedByClose(method: request.request.head.method), at: now)
        var head = ResponseHead(received, to: request, format: kind.format, date: host.dateText)
        if let format = kind.format { begin(format, &head, at: now) } else { permit?.turnedOutPlain() }
        self.head = head
        writeHead()
        if machine.isDetached { machine.detached(until: now + promiseExpiry) }
        setDeadline()
    }

    private func begin(_ format: RecordFormat, _ head: inout ResponseHead, at now: Instant) {
        pipe.begin(
            format, on: route, reportsLosses: request.preferences.wantsNotices, sharesBudget: request.sharesBudget,
            at: now)
        if let due = pipe.heartbeat?.due { timers.set(.heartbeat, at: due, for: self) }
        account.began(request.terms)
        head.describe(request.terms, id: id, of: request, quotas: permit?.quotas ?? ClientQuotas())
        host.register(self)
        request.request = request.request.withHeaders(host.requestLog.keptHeaders(of: request.request))
    }

    func bytesArrived(_ bytes: UnsafeRawBufferPointer) {
        let now = host.now()
        watchRecords(in: bytes, at: now)
        if !withholds(bytes, at: now) { passOn(bytes, at: now) }
    }

    /// Passes bytes of the response on.
    func passOn(_ bytes: UnsafeRawBufferPointer, at now: Instant) {
        let sent = pipe.push(bytes, at: now)
        account.sent(sent.run, at: now)
        if case .failed(let failure) = sent.stop {
            framingFailed(failure, at: now)
            return pump(at: now)
        }
        if pipe.pacer.isStoppedByClient { noteHold(at: now) }
        account.trace?.recordsDropped(pipe.queue.lost, at: now)
        perform(machine.chunkArrived(at: now, level: pipe.queue.level))
        if pipe.needsPump(at: now) { return pump(at: now) }
        waitForPace(hasRoom: sent.hasRoom)
        countBytes()
    }

    /// The upstream's part is over.
    ///
    /// - Parameter error: Why there is no complete response; `nil` if there is one.
    func upstreamEnded(_ error: UpstreamError?) {
        let now = host.now()
        var outcome = Outcome.completed
        if let error = error ?? missingEnd() {
            upstream.failed(error)
            upstreamFailed(error.failure, at: now)
            if triesAnother(after: error, at: now) { return }
            outcome = Outcome(error)
            account.problem = Problem(error)
            upstream.withheld = nil
        } else {
            upstream.endBody()
            account.trace?.attemptEnded(at: now)
            releaseHead(at: now)
        }
        do throws(RecordFramer.Failure) {
            if outcome == .completed { try pipe.finish() } else { pipe.dropUnframed() }
        } catch {
            recordWasTooLong(error, at: now)
            pipe.dropUnframed()
            outcome = .upstreamFailed
        }
        judgeUpstream(outcome, at: now)
        perform(machine.upstreamEnded(outcome, at: now))
        notePause(at: now)
        keepFailure(at: now)
        pump(at: now)
    }

    /// A record that is too long is an error of the upstream; those before it are still sent.
    private func framingFailed(_ failure: RecordFramer.Failure, at now: Instant) {
        giveUpUpstream()
        recordWasTooLong(failure, at: now)
        _ = machine.upstreamEnded(.upstreamFailed, at: now)
        notePause(at: now)
    }

    // MARK: The request's body

    /// The upstream took a part of the body, or its end.
    func requestTaken() {
        machine.requestTaken(at: host.now())
        setDeadline()
    }

    /// The upstream would take more of the body than has arrived.
    func requestAwaited() { machine.requestAwaited() }

    func requestFailed(_ failure: RequestBody.Failure) {
        guard failure != .brokenOff else { return end(.clientGone) }
        end(head == nil ? .refused : .cancelled, problem: Problem(failure))
    }
}
