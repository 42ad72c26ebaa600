import Downstream
import Flow
import NIOHTTP1
import Observability
import Settings
import Upstream

/// Carries one request and its response between an upstream and a client: performs what the decisions of Flow say.
///
/// The way of a record: `transferBytes` (from libcurl) → `StreamQueue` (framed, bounded) → `Pacer` → `ClientResponse`.
/// It lives and dies on one event loop; nothing on the way takes a lock. Its parts: here the records, in `+Upstream` what
/// comes from libcurl, in `+Client` who reads and what the client says meanwhile, in `+End` how it ends and is told.
final class StreamDriver {
    /// Strong: a client, an upstream or a timer may have something to say as long as the stream is referenced.
    let worker: Worker
    let meter: RouteMetrics
    var asked: StreamRequest
    lazy var id = worker.requestLog.nextId()
    /// Who reads; `nil` while nobody does: the client was promised the answer for later, or lost its connection.
    var response: (any ClientResponse)?
    var permit: Permit?
    var transfer: Transfer?

    var machine: StreamMachine
    var pacer: Pacer
    var queue: StreamQueue
    /// What was handed over last, where the client may come back for it.
    var replay: ReplayBuffer?
    /// What the client has said since the terms were granted.
    var wish: EffectiveTerms
    /// What its records are, once its head has come and it is a stream.
    var format: RecordFormat?
    /// The response's head, as the client gets it or has got it; `nil` before it has come.
    var head: ResponseHead?

    /// What the upstream sent behind its body for the client.
    var trailers = HTTPHeaders()

    lazy var paceTimer = LoopTimer(target: self)
    lazy var deadlineTimer = LoopTimer(target: self)
    /// Until the client is told to come back for the answer, or until the next attempt to be admitted.
    var asyncTimer: LoopTimer?
    /// Until a probe of a breaker has proved good.
    var trialTimer: LoopTimer?
    /// Whether it counts as one that its client has to fetch.
    var isPromised = false
    let began: Instant
    var totals: StreamTotals
    /// What the client was told, or would have been told were the head not out yet.
    var problem: Problem?
    /// Bytes that were handed over and that the client's socket has not taken, at the last look.
    var pendingBytes = 0 { didSet { countPending() } }
    /// What the stream held when that was last reported to the ceiling over all streams.
    var gaugedBytes = 0
    /// Until when a promised stream may wait to be admitted.
    var admissionEnds = Instant.distantPast
    /// Since when the client has held its own stream back.
    var heldSince: Instant?
    /// Why its upstream has had to wait lately.
    var pauses = PauseLog()
    var isDelimitedByClose = false
    /// Why the upstream's part ended without a complete response.
    var upstreamError: UpstreamError?

    /// Signs of life on a quiet stream; `nil` if there is none.
    var heartbeat: Heartbeat?
    var heartbeatTimer: LoopTimer?

    var isStream: Bool { format != nil }
    var route: ProxyRoute { asked.route }
    var terms: Terms { asked.terms }

    init(worker: Worker, asked: StreamRequest, response: any ClientResponse, at now: Instant) {
        self.worker = worker
        meter = worker.meters.route(asked.route.name)
        self.asked = asked
        self.response = response
        machine = StreamMachine(limits: asked.route.machineLimits, at: now)
        pacer = Pacer(pace: .unlimited, burst: 1, at: now)
        queue = StreamQueue(
            framer: .opaque,
            bounds: .init(records: .max, bytes: asked.terms.maximumBytes, record: asked.terms.maximumRecordBytes))
        wish = EffectiveTerms(granted: asked.terms, policy: asked.route.settings.policy)
        began = now
        totals = StreamTotals()
        response.delegate = self
    }

    // MARK: Begin

    /// Asks the upstream; the permit is the stream's until its end.
    func start(_ permit: consuming Permit) {
        for refusal in permit.wouldRefuse { noteDryRun(Problem(refusal).kind) }
        if let displaced = permit.displaced { worker.endDisplaced(displaced) }
        if let time = permit.trialTime { set(\.trialTimer, at: worker.clock() + time) }
        self.permit = consume permit
        armDeadline()
        guard ask() else { return }
        tellStart()
        transfer?.start()
    }

    /// Makes the request of the upstream that the permit is for ready to be sent.
    ///
    /// - Returns: Whether it is; if not, the stream has ended, or gone to another upstream.
    func ask() -> Bool {
        guard let upstream = permit?.upstream else { return false }
        totals.upstream = upstream.name
        totals.attempts += 1
        do {
            let transfer = try worker.upstream.makeTransfer(
                route.upstreamRequest(for: asked), at: upstream.origin, delegate: self)
            route.writeHeader(
                to: &transfer.headers, of: asked, at: upstream.address, forwarding: worker.shared.served.forwarding)
            self.transfer = transfer
            beginBody()
            return true
        } catch {
            transferEnded(.failed(.unreachable("\(error)")))
            return false
        }
    }

    /// Ends the stream from outside: `drained` or `cancelled`.
    func end(_ outcome: Outcome, problem: Problem? = nil) {
        if let problem { self.problem = problem }
        perform(machine.end(outcome))
    }

    // MARK: Records

    /// Lets leave what may leave: what the pacer allows, as long as the client takes it.
    func pump(at now: Instant) {
        var room = response?.room ?? 0
        while queue.hasOutput, room > 0, !machine.isFinished {
            drawLease(at: now)
            // With the record behind it: a notice for each chunk that comes would be a stream of its own, without a pace.
            if pacer.available(at: now) > 0 || (machine.isEmptying && queue.records == 0) { tellLosses() }
            guard take(room: room, at: now).bytes > 0 else { break }
            perform(machine.recordsLeft(level: queue.level, at: now))
            room = response?.room ?? 0
        }
        waitForPace(hasRoom: room > 0)
        if machine.isEmptying, queue.isEmpty {
            tellLosses()
            perform(machine.emptied())
        }
        gauge()
    }

    private func take(room: Int, at now: Instant) -> RecordFramer.Run {
        do throws(RecordFramer.Failure) {
            let run = try queue.take(credit: pacer.available(at: now), limit: room) { handOver($0) }
            left(run, at: now)
            return run
        } catch {
            framingFailed(error, at: now)
            return RecordFramer.Run(records: 0, bytes: 0)
        }
    }

    func handOver(_ records: UnsafeRawBufferPointer) {
        response?.write(heartbeat?.body(records) ?? records)
        replay?.append(records, records: 0)
    }

    /// Counts what was handed to the client.
    func left(_ run: RecordFramer.Run, at now: Instant) {
        pacer.take(run.records, at: now, leavesWaiting: queue.records > 0)
        totals.records += run.records
        totals.bytes.bytes += run.bytes
        meter.tally.records &+= run.records
        meter.tally.bytes &+= run.bytes
        if run.bytes > 0 { heartbeat?.left(at: now) }
        if pacer.isHeldByClient { noteHold(at: now) }
        if replay != nil { keepForReplay(run.records) }
    }

    func waitForPace(hasRoom: Bool) {
        guard hasRoom, !machine.isFinished else { return }
        machine.clientCaughtUp()
        guard queue.records > 0, !pacer.isUnlimited else { return }
        worker.timers.set(paceTimer, at: pacer.nextDue)
    }

    /// Draws the next records from the budget that the client's streams share.
    func drawLease(at now: Instant) {
        guard pacer.needsLease, queue.records > 0, let lease = permit?.draw(upTo: queue.records, at: now) else {
            return
        }
        guard route.settings.streams.isDryRun, lease.notBefore > now else {
            return pacer.lease(lease.records, notBefore: lease.notBefore)
        }
        permit?.giveBack(lease.records, at: now)
        pacer.lease(lease.records, notBefore: now)
        noteDryRun(.rateLimit)
    }

    /// An overlong record is an error of the upstream; what came before it still leaves.
    func framingFailed(_ failure: RecordFramer.Failure, at now: Instant) {
        meter.tally.failed[.oversized] += 1
        giveUpUpstream()
        problem = .badUpstream(failure)
        _ = machine.upstreamEnded(.upstreamFailed, at: now)
        notePause(at: now)
    }

    /// Nothing more is wanted of the upstream but the whole records that it sent.
    func giveUpUpstream() {
        transfer?.cancel()
        transfer = nil
        endBody()
        queue.dropUnframed()
    }

    /// Tells the ceiling over all streams what this one holds now.
    func gauge() {
        let held = queue.heldBytes + pendingBytes + (replay?.bytes ?? 0)
        // What a stream held is given back at its end, and it holds nothing after it.
        guard !machine.isFinished, held != gaugedBytes else { return }
        worker.bufferChanged(by: held - gaugedBytes)
        gaugedBytes = held
    }

    // MARK: What the machine decides

    func perform(_ action: StreamMachine.Action) {
        switch action {
        case .none: break
        case .pauseUpstream:
            transfer?.pause()
            countPause()
            notePause(at: worker.clock())
            armDeadline()
        case .resumeUpstream:
            transfer?.resume()
            notePause(at: worker.clock())
            armDeadline()
        case .cancelUpstream:
            giveUpUpstream()
            notePause(at: worker.clock())
            keepFailure(at: worker.clock())
            pump(at: worker.clock())
        case .endResponse(.completed): completeResponse()
        case .endResponse(let outcome): breakOffResponse(outcome, at: worker.clock())
        case .detach:
            meter.tally.disconnects[.resumable] += 1
            response = nil
            nothingIsPending(at: worker.clock())
            if let end = machine.detachedUntil { permit?.detached(as: id, until: end) }
            notePause(at: worker.clock())
            armDeadline()
        case .finish(let outcome): finish(outcome)
        }
    }

    /// Sets a timer that few streams need.
    func set(_ timer: ReferenceWritableKeyPath<StreamDriver, LoopTimer?>, at due: Instant) {
        let known = self[keyPath: timer] ?? LoopTimer(target: self)
        self[keyPath: timer] = known
        worker.timers.set(known, at: due)
    }

    func armDeadline() {
        let deadline = machine.nextDeadline
        // Only ever moved forward here: a timer that fires early costs less than one that is moved with each chunk.
        if !deadlineTimer.isSet || deadline < deadlineTimer.due { worker.timers.set(deadlineTimer, at: deadline) }
    }
}

// MARK: - Time

extension StreamDriver: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if timer === paceTimer { return pump(at: now) }
        if timer === trialTimer { return permit?.provedGood(at: now) ?? () }
        if timer === asyncTimer { return asyncTimeCame(at: now) }
        if timer === heartbeatTimer { return heartbeatTimeCame(at: now) }
        if machine.isHeldUp { lookAtClient(at: now) }
        perform(machine.deadlinePassed(at: now))
        if !machine.isFinished { armDeadline() }
    }
}
