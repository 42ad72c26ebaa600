import Downstream
import Flow
import NIOHTTP1
import Observability
import Upstream

// How a stream ends, and how that is told: to the client, and to the operator.

extension StreamDriver {
    // MARK: The response's end

    /// The stream is complete: the last chunk, and the trailers where the client asked for them.
    func completeResponse() {
        if isStream, sendsTrailers {
            trailers.replaceOrAdd(name: "X-Stream-Status", value: "complete")
            trailers.replaceOrAdd(name: "X-Stream-Items", value: String(totals.records))
        }
        response?.end(trailers: trailers)
    }

    /// Whatever ended the stream, it is not complete, and must not look so (RFC 9112, section 8).
    func breakOffResponse(_ outcome: Outcome, at now: Instant) {
        notify(ofEnd: outcome, at: now)
        response?.breakOff()
    }

    // MARK: The stream's end

    func finish(_ outcome: Outcome) {
        let now = worker.clock()
        transfer?.cancel()
        transfer = nil
        endBody()
        worker.timers.cancel(paceTimer)
        worker.timers.cancel(deadlineTimer)
        if let asyncTimer { worker.timers.cancel(asyncTimer) }
        if let trialTimer { worker.timers.cancel(trialTimer) }
        if let heartbeatTimer { worker.timers.cancel(heartbeatTimer) }
        countEnd(outcome, at: now)
        response?.delegate = nil
        judgeUpstream(outcome, at: now)
        if outcome == .completed { permit?.provedGood(at: now) }
        if outcome == .slowConsumer { permit?.clientStalled(at: now) }
        endResponse(outcome, at: now)
        permit?.giveBack(pacer.unusedLease, at: now)
        permit = nil
        worker.bufferChanged(by: -gaugedBytes)
        gaugedBytes = 0
        worker.ended(self, hasExpired: outcome == .clientGone && machine.isDetached)
        keepPromise()
        // Last: what the line says is so by then, on every loop.
        tell(outcome, at: now)
        response = nil
    }

    /// Whatever is still open of the response when the stream is over.
    private func endResponse(_ outcome: Outcome, at now: Instant) {
        guard let response, !response.hasEnded, outcome != .clientGone else { return }
        if !response.hasHead {
            refuse(for: outcome)
        } else if outcome == .slowConsumer, !asked.preferences.wantsNotices {
            response.abort()  // there is nobody to wait for
        } else {
            breakOffResponse(outcome, at: now)
        }
    }

    /// Answers a request whose stream ended before it began.
    private func refuse(for outcome: Outcome) {
        guard let response else { return }
        var answer: Problem
        switch outcome {
        case .upstreamTimeout: answer = problem ?? .upstreamTimeout(.firstByte)
        case .upstreamFailed: answer = problem ?? .badUpstream(.reset)
        case .drained, .cancelled: answer = problem ?? .unavailable(.draining)
        case .refused: answer = problem ?? .malformedRequest
        case .completed, .clientGone, .slowConsumer: return response.breakOff()
        }
        answer.instance = id.text
        answer.traceId = asked.request.trace?.sharedTraceId
        problem = answer
        totals.status = answer.status
        meter.tally.refusals[answer.kind] += 1
        count(ownBytes: worker.shared.answer(answer, to: asked.request, response: response))
    }

    /// What weir itself says to the client counts as the rest of the body does.
    func count(ownBytes: ByteCount) {
        totals.bytes.bytes += ownBytes.bytes
        meter.tally.bytes += ownBytes.bytes
    }

    /// Tells the upstream's breaker how it went; only the first call counts.
    func judgeUpstream(_ outcome: Outcome, at now: Instant) {
        permit?.upstreamEnded(
            .init(
                outcome: outcome, status: head.map { Int($0.status.code) },
                hasUpstreamFallenSilent: machine.hasUpstreamFallenSilent || upstreamError == .connectTimeout,
                wasClosedWhileIdle: upstreamError == .closedWhileIdle, records: totals.records), at: now)
    }

    // MARK: In band

    /// Tells how many records were dropped in front of the next one, as a record of weir's own.
    func tellLosses() {
        guard queue.lossAhead > 0, asked.preferences.wantsNotices, let response else { return }
        write(.recordsDropped(queue.lossAhead), to: response)
        queue.lossTold()
    }

    /// The last record of a stream that did not come to its end, for who wants to be told in band.
    private func notify(ofEnd outcome: Outcome, at now: Instant) {
        guard isStream, asked.preferences.wantsNotices, let response, !response.hasEnded else { return }
        var notice = Problem(endOf: outcome, because: problem, retryAfter: permit?.retryAfter(at: now) ?? .seconds(1))
        notice.records = queue.records + queue.lossAhead
        problem = notice
        write(notice, to: response)
    }

    private func write(_ notice: Problem, to response: any ClientResponse) {
        var notice = notice
        notice.instance = id.text
        notice.traceId = asked.request.trace?.sharedTraceId
        var record = (format ?? .ndjson).notice(notice.json(base: worker.shared.served.problemBase))
        record.withUTF8 { response.write(UnsafeRawBufferPointer($0)) }
        count(ownBytes: ByteCount(record.utf8.count))
    }

    // MARK: For the operator

    private func tell(_ outcome: Outcome, at now: Instant) {
        guard worker.requestLog.isEnabled else { return }
        let end = StreamEnd(
            outcome, problem: problemKind(of: outcome), upstreamError: upstreamError?.reason,
            isDelimitedByClose: isDelimitedByClose)
        worker.requestLog.write(.ended(facts, totals(at: now), end))
    }

    /// The request is handed on.
    func tellStart() {
        if worker.shared.log?.tellsStarts ?? false { worker.requestLog.write(.started(facts)) }
    }

    /// It goes on.
    func tellProgress(at now: Instant) { worker.requestLog.write(.progressed(facts, totals(at: now))) }

    private var facts: StreamFacts {
        worker.requestLog.facts(of: asked.request, client: asked.client, route: route.name, id: id)
    }

    private func totals(at now: Instant) -> StreamTotals {
        if machine.wouldHaveStalled { noteDryRun(.slowConsumer) }
        var totals = totals
        totals.lasted = now - began
        totals.bufferPeak = isStream ? queue.peak : 0
        totals.dropped = queue.lost
        totals.pauses = machine.pauses
        totals.paused = machine.paused(at: now)
        if let heldSince { totals.held += now - heldSince }
        return totals
    }

    /// What the client was told, or would have been told had it asked for notices.
    private func problemKind(of outcome: Outcome) -> Problem.Kind? {
        switch outcome {
        case .slowConsumer: problem?.kind ?? .slowConsumer
        case .upstreamFailed: problem?.kind ?? .badUpstream
        case .upstreamTimeout: problem?.kind ?? .upstreamTimeout
        case .completed, .clientGone, .cancelled, .drained, .refused: problem?.kind
        }
    }

    /// A limit that is on trial would have refused, slowed or ended the stream.
    func noteDryRun(_ kind: Problem.Kind) {
        if !totals.dryRuns.contains(kind) { totals.dryRuns.append(kind) }
    }
}
