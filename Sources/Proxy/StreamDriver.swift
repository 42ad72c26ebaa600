import Downstream
import Flow
import NIOHTTP1
import Observability
import Settings
import Upstream

/// Carries one request and its response between an upstream and a client: performs what the decisions of Flow say.
///
/// The way of a record: `transferBytes` (from libcurl) → `RecordQueue` (framed, bounded) → `Meter` → `ClientResponse`.
/// It lives and dies on one event loop; nothing on the way takes a lock.
final class StreamDriver {
    private unowned let worker: Worker
    private let route: ProxyRoute
    private var request: Request
    private let writer: any ClientResponse
    private let terms: Terms
    private var permit: Permit?
    private var transfer: Transfer?

    private var machine: StreamMachine
    private var meter: Meter
    private var queue: RecordQueue
    private var isStream = false

    private lazy var meterTimer = LoopTimer(target: self)
    private lazy var deadlineTimer = LoopTimer(target: self)
    private let began: Instant
    private lazy var id = worker.nextId()
    private let client: String
    private var totals: StreamTotals
    /// What the client was told, or would have been told were the head not out yet.
    private var problem: Problem?
    private var isDelimitedByClose = false

    init(
        worker: Worker, route: ProxyRoute, request: Request, client: String, terms: Terms, permit: consuming Permit,
        writer: any ClientResponse, at now: Instant
    ) {
        self.worker = worker
        self.route = route
        self.request = request
        self.writer = writer
        self.terms = terms
        self.permit = consume permit
        machine = StreamMachine(limits: route.machineLimits, at: now)
        meter = Meter(pace: .unlimited, burst: 1, at: now)
        queue = RecordQueue(
            framer: .opaque,
            bounds: .init(records: .max, bytes: terms.maximumBytes, record: terms.maximumRecordBytes))
        began = now
        self.client = client
        totals = StreamTotals(upstream: route.settings.upstream.text)
    }

    // MARK: Begin

    func start() {
        writer.delegate = self
        do {
            let transfer = try worker.upstream.makeTransfer(
                route.upstreamRequest(for: request.head, pace: terms.pace), at: route.origin, delegate: self)
            self.transfer = transfer
            armDeadline()
            transfer.start()
        } catch {
            transferEnded(.failed(.unreachable("\(error)")))
        }
    }

    /// Ends the stream from outside: `drained` or `cancelled`.
    func end(_ outcome: Outcome) { perform(machine.end(outcome)) }

    // MARK: Records

    /// Lets leave what may leave: what the meter allows, as long as the client takes it.
    private func pump(at now: Instant) {
        var room = 0
        while queue.hasOutput {
            room = writer.room
            guard room > 0, !machine.isFinished else { break }
            let taken = take(room: room, at: now)
            guard taken.bytes > 0 else { break }
            perform(
                machine.recordsLeft(queueIsFull: queue.isFull, queueIsLow: queue.isLow, at: now))
        }
        awaitMeter(hasRoom: room > 0)
        if machine.isEmptying, queue.isEmpty { perform(machine.emptied()) }
    }

    private func take(room: Int, at now: Instant) -> RecordFramer.Run {
        do throws(RecordFramer.Failure) {
            let run = try queue.take(credit: meter.available(at: now), limit: room) { writer.write($0) }
            left(run, at: now)
            return run
        } catch {
            framingFailed(error)
            return RecordFramer.Run(records: 0, bytes: 0)
        }
    }

    /// Counts what was handed to the client.
    private func left(_ run: RecordFramer.Run, at now: Instant) {
        meter.take(run.records, at: now, leavesWaiting: queue.records > 0)
        totals.records += run.records
        totals.bytes.bytes += run.bytes
    }

    private func awaitMeter(hasRoom: Bool) {
        guard hasRoom, queue.records > 0, !meter.isUnlimited, !machine.isFinished else { return }
        worker.timers.set(meterTimer, at: meter.nextDue)
    }

    /// An overlong record is an error of the upstream; what came before it still leaves.
    private func framingFailed(_ failure: RecordFramer.Failure) {
        giveUpUpstream()
        problem = .badUpstream(failure)
        _ = machine.upstreamEnded(.upstreamFailed)
    }

    /// Nothing more is wanted of the upstream but the whole records that it sent.
    private func giveUpUpstream() {
        transfer?.cancel()
        transfer = nil
        queue.dropUnframed()
    }

    // MARK: What the machine decides

    private func perform(_ action: StreamMachine.Action) {
        switch action {
        case .none: break
        case .pauseUpstream:
            transfer?.pause()
            armDeadline()
        case .resumeUpstream:
            transfer?.resume()
            armDeadline()
        case .cancelUpstream:
            giveUpUpstream()
            pump(at: worker.clock())
        case .endResponse(.completed): writer.end()
        case .endResponse: writer.breakOff()
        case .finish(let outcome): finish(outcome)
        }
    }

    private func armDeadline() {
        let deadline = machine.nextDeadline
        // Only ever moved forward here: a timer that fires early costs less than one that is moved with each chunk.
        if !deadlineTimer.isSet || deadline < deadlineTimer.due { worker.timers.set(deadlineTimer, at: deadline) }
    }

    // MARK: End

    private func finish(_ outcome: Outcome) {
        transfer?.cancel()
        transfer = nil
        worker.timers.cancel(meterTimer)
        worker.timers.cancel(deadlineTimer)
        writer.delegate = nil
        endResponse(outcome)
        permit = nil
        tell(outcome)
        worker.ended(self)
    }

    /// Whatever is still open of the response when the stream is over.
    private func endResponse(_ outcome: Outcome) {
        guard !writer.hasEnded, outcome != .clientGone else { return }
        if !writer.hasHead {
            refuse(for: outcome)
        } else if outcome == .slowConsumer {
            writer.abort()  // there is nobody to wait for
        } else {
            writer.breakOff()
        }
    }

    /// Answers a request whose stream ended before it began.
    private func refuse(for outcome: Outcome) {
        var answer: Problem
        switch outcome {
        case .upstreamTimeout: answer = problem ?? .upstreamTimeout(.firstByte)
        case .upstreamFailed: answer = problem ?? .badUpstream(.reset)
        case .drained, .cancelled: answer = .unavailable(.draining)
        case .completed, .clientGone, .slowConsumer, .refused: return writer.breakOff()
        }
        answer.instance = id.text
        problem = answer
        totals.status = answer.status
        worker.answer(answer, to: request, writer: writer)
    }

    private func tell(_ outcome: Outcome) {
        guard worker.isLogging else { return }
        let now = worker.clock()
        totals.lasted = now - began
        totals.bufferPeak = isStream ? queue.peak : 0
        totals.pauses = machine.pauses
        totals.paused = machine.paused(at: now)
        worker.tell(
            .ended(
                worker.facts(of: request, client: client, route: route.name, id: id), totals,
                StreamEnd(outcome, problem: problem?.kind, isDelimitedByClose: isDelimitedByClose)))
    }
}

// MARK: - From the upstream

extension StreamDriver: TransferDelegate {
    func transferHead(_ head: UpstreamResponseHead) {
        let now = worker.clock()
        machine.headArrived(at: now)
        armDeadline()
        let hasBody = head.hasBody(method: request.head.method)
        var headers = head.headers.withoutHopByHop()
        if isMetered(head, hasBody: hasBody) {
            becomeStream(&headers, at: now)
        } else {
            permit?.turnedOutPlain()
        }
        totals.status = head.status
        isDelimitedByClose = head.isDelimitedByClose(method: request.head.method)
        writer.writeHead(
            HTTPResponseStatus(statusCode: head.status, reasonPhrase: head.reason), headers: headers,
            body: !hasBody ? .none : head.contentLength != nil ? .length : .unknown)
    }

    /// Whether the response is a stream whose records can be told apart.
    ///
    /// A content coding hides them: such a body passes under the byte bound alone.
    private func isMetered(_ head: UpstreamResponseHead, hasBody: Bool) -> Bool {
        let format = route.settings.framing.recordFormat(
            status: head.status, contentType: head.headers.first(name: "content-type"), hasBody: hasBody)
        let coding = head.headers.first(name: "content-encoding") ?? "identity"
        return format == .ndjson && coding.lowercased() == "identity"
    }

    private func becomeStream(_ headers: inout HTTPHeaders, at now: Instant) {
        isStream = true
        request = request.withoutHeaders()
        totals.terms = terms
        meter = Meter(pace: terms.pace, burst: terms.burst, at: now)
        writer.expectPace(!meter.isUnlimited)
        queue = RecordQueue(
            framer: .lines,
            bounds: .init(records: terms.buffer, bytes: terms.maximumBytes, record: terms.maximumRecordBytes))
        addStreamFields(
            to: &headers, terms: terms, id: id, starts: route.limits.starts, quota: permit?.startsLeft,
            totalItemsHeader: route.settings.totalItemsHeader)
    }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        let now = worker.clock()
        let room = writer.room
        do throws(RecordFramer.Failure) {
            let run = try queue.push(
                bytes, credit: room > 0 ? meter.available(at: now) : 0, limit: room
            ) { writer.write($0) }
            left(run, at: now)
        } catch {
            framingFailed(error)
            return pump(at: now)
        }
        perform(machine.chunkArrived(at: now, queueIsFull: queue.isFull))
        awaitMeter(hasRoom: room > 0)
    }

    func transferEnded(_ end: TransferEnd) {
        transfer = nil
        var outcome = Outcome.completed
        if case .failed(let error) = end {
            outcome = Outcome(error)
            problem = Problem(error)
        }
        do throws(RecordFramer.Failure) {
            // Of a stream that broke off, the last line may be half a record, which nobody must take for a whole one.
            if outcome == .completed { try queue.finish() } else { queue.dropUnframed() }
        } catch {
            queue.dropUnframed()
            outcome = .upstreamFailed
            problem = .badUpstream(error)
        }
        perform(machine.upstreamEnded(outcome))
        pump(at: worker.clock())
    }
}

// MARK: - From the client

extension StreamDriver: ResponseWriterDelegate {
    func responseHasRoom() {
        machine.clientTook()
        pump(at: worker.clock())
    }

    func responseIsHeldUp() {
        machine.clientStopped(at: worker.clock())
        armDeadline()
    }

    func responseFinished() { perform(machine.responseTaken()) }

    func responseClosed() { perform(machine.clientLeft()) }
}

// MARK: - Time

extension StreamDriver: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if timer === meterTimer { return pump(at: now) }
        perform(machine.deadlinePassed(at: now))
        if !machine.isFinished { armDeadline() }
    }
}
