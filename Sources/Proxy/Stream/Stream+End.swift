import Downstream
import Flow
import NIOHTTP1
import OTLP
import Observability
import Upstream

// The end of a stream, and how it is reported: to the client, and to the operator.

extension Stream {
    // MARK: The response

    /// The stream is complete: the end of the body, and the trailers if the client requested them.
    func completeResponse() {
        guard let response = pipe.response else { return }
        var trailers = upstream.trailers
        if isStream, head?.sendsTrailers(to: response) ?? false {
            trailers.replaceOrAdd(name: "X-Stream-Status", value: "complete")
            trailers.replaceOrAdd(name: "X-Stream-Items", value: String(account.totals.records))
            if let name = request.served.problemStyle.proxyName, let status = account.totals.status {
                // After those of the upstream (RFC 9209, section 2).
                trailers.add(name: "Proxy-Status", value: "\(name); received-status=\(status)")
            }
        }
        awaitAcknowledgement()
        response.end(trailers: trailers)
    }

    /// A client that may come back has the end only when its kernel has it.
    private func awaitAcknowledgement() { if pipe.replay != nil { pipe.response?.awaitAcknowledgement() } }

    /// The stream is not complete, and must not appear so (RFC 9112, section 8).
    func breakOffResponse(_ outcome: Outcome, at now: Instant) {
        reportEnd(outcome, at: now)
        awaitAcknowledgement()
        pipe.response?.breakOff()
    }

    /// Ends what is still open of the response when the stream is over.
    private func endResponse(_ outcome: Outcome, at now: Instant) {
        guard let response = pipe.response, !response.hasEnded, outcome != .clientGone else { return }
        if !response.hasHead {
            refuse(for: outcome, response)
        } else if outcome == .slowConsumer, !request.preferences.wantsNotices {
            response.abort()  // what the client has not taken, it would not take either
        } else {
            breakOffResponse(outcome, at: now)
        }
    }

    /// Answers a request whose stream ended before it began.
    private func refuse(for outcome: Outcome, _ response: any ClientResponse) {
        guard let problem = Problem(refusing: outcome, because: account.problem)?.of(request.request, id: id) else {
            return response.breakOff()
        }
        let answer = OwnAnswer(refusing: request.request, with: problem, in: request.served.problemStyle)
        account.refused(
            with: problem, bytes: answer.send(to: response, for: request.request, date: host.dateText))
    }

    // MARK: The stream

    func finish(_ outcome: Outcome) {
        let now = host.now()
        upstream.cancel()
        timers.end()
        promise?.stop()
        noteTimeout(at: now)
        account.ended(outcome, hasClient: hasClient, of: pipe, machine, at: now)
        pipe.response?.delegate = nil
        judgeUpstream(outcome, at: now)
        if outcome == .completed { permit?.provedGood(at: now) }
        if outcome == .slowConsumer, permit?.clientStalled(at: now) == true { announceOpenBreaker(at: now) }
        endResponse(outcome, at: now)
        permit?.giveBack(pipe.pacer.unusedLease, at: now)
        permit = nil
        host.bufferChanged(by: account.countBytes(0))
        host.ended(self, hasExpired: outcome == .clientGone && machine.isDetached)
        promise?.kept()
        // Last: what the line reports is true by then, on every loop.
        logEnd(outcome, at: now)
        pipe.detach()
    }

    /// Reports to the upstream's breaker how it went; only the first call counts.
    func judgeUpstream(_ outcome: Outcome, at now: Instant) {
        permit?.attemptEnded(
            outcome, because: upstream.error, status: head.map { Int($0.status.code) },
            isSilent: machine.hasUpstreamFallenSilent, records: account.totals.records, at: now)
    }

    // MARK: Notices

    /// Reports the records that were dropped before the next one, as a record of weir's own.
    func reportLoss(_ records: Int) {
        sendNotice(.recordsDropped(records))
        pipe.lossReported()
    }

    /// Reports, as the last record, the end of a stream that is not complete, to a client that prefers notices.
    private func reportEnd(_ outcome: Outcome, at now: Instant) {
        guard isStream, request.preferences.wantsNotices, let response = pipe.response, !response.hasEnded else {
            return
        }
        var notice = Problem(
            endOf: outcome, because: account.problem, retryAfter: permit?.retryAfter(at: now) ?? .seconds(1))
        notice.records = pipe.queue.records + pipe.queue.lossAhead
        account.problem = notice
        sendNotice(notice)
    }

    private func sendNotice(_ notice: Problem) {
        let notice = notice.of(request.request, id: id)
        let record = (pipe.format ?? .ndjson).notice(notice.json(base: request.served.problemStyle.base))
        account.sent(own: pipe.writeOwn(record))
    }

    // MARK: The access log

    func logStart() {
        if host.requestLog.logsStarts { host.requestLog.write(.started(facts)) }
    }

    func logProgress(at now: Instant) {
        host.requestLog.write(.progressed(facts, account.totals(of: pipe, machine, at: now)))
    }

    private func logEnd(_ outcome: Outcome, at now: Instant) {
        guard host.requestLog.isEnabled || account.trace != nil else { return }
        let (facts, totals, end) = (facts, account.totals(of: pipe, machine, at: now), account.end(outcome))
        host.requestLog.write(.ended(facts, totals, end))
        guard let trace = account.trace else { return }
        let traced = TracedRequest(request.request, upstreamPath: route.path(for: request.request))
        host.requestLog.record(
            EndedRequest(
                trace, traced, facts, totals, end, pauses: account.pauses.pauses(at: now), at: now))
    }

    private var facts: StreamFacts {
        host.requestLog.facts(
            of: request.request, client: request.client, route: route.name, tier: request.tier, id: id)
    }
}
