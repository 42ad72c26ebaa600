import Flow
import HTTPText
import OTLP
import Observability

/// What a stream reports of itself: its totals for the access log, its part of the route's metrics, its pauses.
struct StreamAccount {
    let metrics: RouteMetrics
    let began: Instant
    /// `nil` unless the request is sampled.
    let trace: RequestTrace?
    private(set) var totals = StreamTotals()
    /// What the client was sent, or would have been sent before the head.
    var problem: Problem?
    /// Why the last attempt failed.
    private(set) var failure: UpstreamFailure?
    private(set) var pauses = PauseLog()
    /// When the client stopped its own stream.
    private(set) var heldSince: Instant?
    /// The memory of the stream that is counted for the ceiling over all streams.
    private(set) var countedBytes = 0
    private var isDelimitedByClose = false
    private var hasSentRecords = false
    /// Records of a shared stream that were no longer retained for this one.
    private var lost = 0

    init(_ metrics: RouteMetrics, trace: RequestTrace? = nil, at now: Instant) {
        (self.metrics, self.trace, began) = (metrics, trace, now)
    }

    // MARK: Events

    /// Another attempt is sent to an upstream.
    mutating func attempt(at upstream: String) {
        totals.upstream = upstream
        failure = nil
        totals.attempts += 1
        if totals.attempts > 1 { metrics.tally.retries += 1 }
    }

    /// The head of the response is passed on.
    mutating func headArrived(status: Int, isStream: Bool, isDelimitedByClose: Bool, at now: Instant) {
        totals.status = status
        self.isDelimitedByClose = isDelimitedByClose
        metrics.tally.responses.count(status)
        trace?.headSent(status: status, at: now)
        if !isStream { metrics.tally.times.headSent(from: began, to: now) }
    }

    /// The client was promised the response.
    mutating func promised(status: Int) { metrics.tally.responses.count(status) }

    /// The response is a stream with these terms.
    mutating func began(_ terms: Terms) { totals.terms = terms }

    /// The rate is not applied to the response.
    mutating func unmetered(_ cause: UnmeteredCause) {
        totals.unmetered = cause
        metrics.tally.unmetered[cause] += 1
    }

    /// Records of the upstream were written to the client.
    mutating func sent(_ run: RecordFramer.Run, at now: Instant) {
        if !hasSentRecords, run.records > 0 {
            hasSentRecords = true
            metrics.tally.times.firstRecordSent(from: began, to: now)
            trace?.firstRecordSent(at: now)
        }
        totals.records += run.records
        totals.bytes.bytes += run.bytes
        metrics.tally.records &+= run.records
        metrics.tally.bytes &+= run.bytes
    }

    /// Records that waited for their pace were sent, the first of which was due at `due`.
    mutating func pacedRecordsSent(due: Instant, at now: Instant) {
        metrics.tally.times.pacedRecordSent(due: due, at: now)
    }

    /// Records of a shared stream were no longer retained when this one had room for them.
    mutating func lost(_ records: Int) {
        lost += records
        metrics.tally.gaps += 1
        metrics.tally.failed[.dropped] += records
    }

    /// Bytes of weir's own were written to the client.
    mutating func sent(own bytes: ByteCount) {
        totals.bytes.bytes += bytes.bytes
        metrics.tally.bytes += bytes.bytes
    }

    /// The client comes back with that many records, and is sent the others again.
    mutating func resumed(after records: Int) {
        totals.records = records
        totals.resumptions += 1
    }

    mutating func feedbackArrived() { totals.feedbacks += 1 }

    /// The client began, or ceased, to hold its own stream.
    mutating func held(_ isHeld: Bool, at now: Instant) {
        if let since = heldSince { totals.held += now - since }
        heldSince = isHeld ? now : nil
    }

    /// A response in place of one of the upstream's.
    mutating func refused(with problem: Problem, bytes: ByteCount) {
        self.problem = problem
        totals.status = problem.status
        metrics.tally.responses.count(problem.status)
        metrics.tally.refusals[problem.kind] += 1
        sent(own: bytes)
    }

    /// An upstream sent a record that is too long.
    mutating func recordWasTooLong(_ failure: RecordFramer.Failure) {
        metrics.tally.failed[.oversized] += 1
        let problem = Problem.badUpstream(failure)
        self.problem = problem
        self.failure = UpstreamFailure(.recordTooLarge, problem.detail)
    }

    /// A limit that is in a dry run would have refused, slowed or ended the stream.
    mutating func noteDryRun(_ kind: Problem.Kind) {
        if !totals.dryRuns.contains(kind) { totals.dryRuns.append(kind) }
    }

    /// Sets the memory that is counted.
    ///
    /// - Returns: The change.
    mutating func countBytes(_ bytes: Int) -> Int {
        defer { countedBytes = bytes }
        return bytes - countedBytes
    }

    /// The last attempt failed.
    mutating func failed(_ failure: UpstreamFailure) { self.failure = failure }

    // MARK: Pauses

    mutating func upstreamPaused(by cause: PauseLog.Cause) { metrics.tally.pauses[cause] += 1 }

    /// Follows the stream's pauses; to be called after each event that may have begun, ended or changed one.
    mutating func notePause(_ cause: PauseLog.Cause?, at now: Instant) { pauses.changed(to: cause, at: now) }

    // MARK: The end

    /// The stream ended; to be called before its parts are released.
    mutating func ended(
        _ outcome: Outcome, hasClient: Bool, of pipe: RecordPipe, _ machine: StreamMachine, at now: Instant
    ) {
        metrics.tally.ended(outcome, isStream: pipe.format != nil, from: began, to: now)
        metrics.tally.paused += machine.paused(at: now)
        if pipe.format != nil {
            metrics.tally.failed[.dropped] += pipe.queue.lost
            metrics.tally.failed[.undelivered] += pipe.queue.records
            metrics.tally.units.addUpToMost(pipe.weights?.total ?? 0)
        }
        // A client that had left before was counted then.
        if outcome == .clientGone, hasClient { metrics.tally.disconnects[.gone] += 1 }
        if outcome == .slowConsumer { metrics.tally.disconnects[.slowConsumer] += 1 }
    }

    /// What the access log reports of the end.
    func end(_ outcome: Outcome) -> StreamEnd {
        StreamEnd(
            outcome, problem: Problem.Kind(of: outcome, after: problem), upstreamFailure: failure,
            isDelimitedByClose: isDelimitedByClose)
    }

    // MARK: Reports

    /// The totals so far, for a line of the access log.
    mutating func totals(of pipe: RecordPipe, _ machine: StreamMachine, at now: Instant) -> StreamTotals {
        if machine.wouldHaveStalled { noteDryRun(.slowConsumer) }
        var totals = totals
        totals.lasted = now - began
        totals.bufferPeak = pipe.format == nil ? 0 : pipe.queue.peak
        totals.units = pipe.weights?.total
        totals.dropped = pipe.queue.lost + lost
        totals.pauses = machine.pauses
        totals.paused = machine.paused(at: now)
        if let heldSince { totals.held += now - heldSince }
        return totals
    }

    /// Adds what the stream holds now, and what is added to the metrics at its end, to a scrape of the metrics.
    func addRunning(of pipe: RecordPipe, _ machine: StreamMachine, isPulling: Bool, at now: Instant) {
        var running = RouteTally.Running()
        running.transfers = isPulling ? 1 : 0
        running.paused = machine.paused(at: now)
        running.bytes = countedBytes
        running.byteCapacity = pipe.effective.granted.maximumBytes.bytes
        if pipe.format != nil {
            running.records = pipe.queue.records
            running.recordCapacity = pipe.bound.records
            running.dropped = pipe.queue.lost
            running.units = pipe.weights?.runningTotal ?? 0
        }
        metrics.tally.running += running
    }
}
