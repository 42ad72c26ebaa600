import Downstream
import Flow
import HTTPText
import Logging
import NIOHTTP1
import Observability
import Settings
import Upstream

// What comes from the upstream.

extension StreamDriver: TransferDelegate {
    /// Passes an informational answer on (RFC 9110, section 15.2); whoever comes for the answer later has missed it.
    func transferInterim(_ head: UpstreamResponseHead) {
        var headers = headersToPass(of: head)
        // RFC 9110, section 8.6: none has a length.
        headers.remove(name: "content-length")
        response?.writeInterim(
            HTTPResponseStatus(statusCode: head.status, reasonPhrase: head.reason), headers: headers)
    }

    func transferHead(_ head: UpstreamResponseHead) {
        let now = worker.clock()
        machine.headArrived(at: now)
        if let asyncTimer { worker.timers.cancel(asyncTimer) }
        let hasBody = head.hasBody(method: asked.request.head.method)
        var headers = headersToPass(of: head)
        // RFC 9110, section 6.6.1: who has a clock adds what an upstream without one left out.
        if !headers.contains(name: "date") { headers.add(name: "Date", value: worker.shared.date.text(at: .now())) }
        let kind = kind(of: head, hasBody: hasBody)
        if let format = kind.format {
            becomeStream(of: format, &headers, at: now)
        } else {
            permit?.turnedOutPlain()
            reportUnmetered(kind, head, at: now)
        }
        totals.status = head.status
        isDelimitedByClose = head.isDelimitedByClose(method: asked.request.head.method)
        let keepsLength = head.contentLength != nil && !(isStream && mayChangeLength)
        if hasBody, !keepsLength { headers.remove(name: "content-length") }
        self.head = ResponseHead(
            status: HTTPResponseStatus(statusCode: head.status, reasonPhrase: head.reason), headers: headers,
            body: !hasBody ? .none : keepsLength ? .length : .unknown,
            trailerNames: head.headers.listed(in: "trailer").map(String.init))
        writeHead()
        if machine.isDetached { machine.detached(until: now + asyncExpiry) }
        armDeadline()
    }

    private func headersToPass(of head: UpstreamResponseHead) -> HTTPHeaders {
        var headers = head.headers.withoutHopByHop()
        worker.shared.served.forwarding.addVia(to: &headers, version: head.version)
        return headers
    }

    private func kind(of head: UpstreamResponseHead, hasBody: Bool) -> ResponseKind {
        ResponseKind(
            .init(
                status: head.status, contentType: head.headers.first(name: "content-type"),
                codings: head.headers[canonicalForm: "content-encoding"], length: head.contentLength, hasBody: hasBody),
            framing: route.settings.framing, types: route.settings.types,
            isRateGranted: terms.pace != .unlimited || route.settings.streams.clientRecords != nil)
    }

    /// Counts and logs a response to which the rate is not applied; the operator alone can change that.
    private func reportUnmetered(_ kind: ResponseKind, _ head: UpstreamResponseHead, at now: Instant) {
        guard let cause = kind.unmeteredCause else { return }
        totals.unmetered = cause
        meter.tally.unmetered[cause] += 1
        if case .coded(let coding) = kind, route.codingWarnings.isDue(at: now) {
            worker.shared.process.warning(
                "a stream comes compressed and passes unmetered",
                metadata: ["route": "\(route.name)", "coding": "\(coding.rawValue)"])
        }
        if kind == .unknownType, route.typeWarnings.isDue(at: now) {
            worker.shared.process.warning(
                "the rate is not applied to a response whose type is not a stream's; see `framing` and `types`",
                metadata: [
                    "route": "\(route.name)",
                    "type": "\(FieldText.readable(head.headers.first(name: "content-type") ?? ""))",
                ])
        }
    }

    /// Whether the client may get other bytes than the upstream's: fewer, some of weir's own, or only the rest.
    ///
    /// Then the upstream's length must not be promised: a client would take the next answer for what is missing.
    private var mayChangeLength: Bool {
        route.settings.overflow.drops || asked.preferences.wantsNotices || route.settings.resumeWindow != nil
            || heartbeat != nil
    }

    private func becomeStream(of format: RecordFormat, _ headers: inout HTTPHeaders, at now: Instant) {
        self.format = format
        totals.terms = terms
        pacer.begin(
            pace: wish.terms.pace, burst: terms.burst, sharesBudget: route.settings.streams.clientRecords != nil,
            at: now)
        if route.settings.resumeWindow != nil { replay = ReplayBuffer(framer: format.framer) }
        queue = StreamQueue(
            framer: format.framer,
            bounds: .init(
                records: wish.terms.buffer - replayShare(of: wish.terms.buffer),
                bytes: ByteCount(terms.maximumBytes.bytes - replayShare(of: terms.maximumBytes.bytes)),
                record: terms.maximumRecordBytes),
            overflow: route.settings.overflow, keys: route.keys.map { RecordTextKeys($0, in: format.framer) },
            tellsLosses: asked.preferences.wantsNotices)
        countPending()
        if format == .sse { beginHeartbeat(at: now) }
        addStreamFields(
            to: &headers, terms: terms, id: id, limits: route.gate.rules.limits,
            quotas: permit?.quotas ?? ClientQuotas(), totalItemsHeader: route.settings.totalItemsHeader)
        if asked.preferences.wantsNotices {
            headers.add(name: "Preference-Applied", value: "stream-notices")
            headers.add(name: "Vary", value: "Prefer")
        }
        worker.register(self)
        asked.request = asked.request.withHeaders(worker.shared.log?.keptHeaders(of: asked.request) ?? [:])
    }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        let now = worker.clock()
        let room = response?.room ?? 0
        do throws(RecordFramer.Failure) {
            let run = try queue.push(bytes, credit: room > 0 ? pacer.available(at: now) : 0, limit: room) {
                handOver($0)
            }
            left(run, at: now)
        } catch {
            framingFailed(error, at: now)
            return pump(at: now)
        }
        perform(machine.chunkArrived(at: now, level: queue.level))
        if pacer.needsLease || queue.lossAhead > 0 { return pump(at: now) }
        waitForPace(hasRoom: room > 0)
        gauge()
    }

    func transferTrailers(_ trailers: HTTPHeaders) { self.trailers = trailers.passedOnAsTrailers() }

    func transferEnded(_ end: TransferEnd) {
        let now = worker.clock()
        transfer = nil
        endBody()
        var outcome = Outcome.completed
        if case .failed(let error) = end {
            upstreamError = error
            warn(of: error, at: now)
            if triesAnother(after: error, at: now) { return }
            outcome = Outcome(error)
            problem = Problem(error)
        }
        do throws(RecordFramer.Failure) {
            // Of a stream that broke off, the last line may be half a record, which nobody must take for a whole one.
            if outcome == .completed { try queue.finish() } else { queue.dropUnframed() }
        } catch {
            meter.tally.failed[.oversized] += 1
            queue.dropUnframed()
            outcome = .upstreamFailed
            problem = .badUpstream(error)
        }
        judgeUpstream(outcome, at: now)
        perform(machine.upstreamEnded(outcome, at: now))
        notePause(at: now)
        keepFailure(at: now)
        pump(at: now)
    }
}

// MARK: - Another upstream

extension StreamDriver {
    /// Asks another upstream, where the route says so and nothing can have happened twice; only before the answer's head.
    ///
    /// - Returns: Whether it does; then nothing has ended.
    private func triesAnother(after error: UpstreamError, at now: Instant) -> Bool {
        guard head == nil, !machine.isFinished, let retry = route.settings.retry, totals.attempts < retry.attempts,
            asked.request.head.method.isIdempotent, !asked.request.hasBody, error.isOfOneUpstream
        else { return false }
        judgeUpstream(Outcome(error), at: now)
        guard permit?.tryAnother(at: now) != nil else { return false }
        upstreamError = nil
        meter.tally.retries += 1
        if ask() { transfer?.start() }
        return true
    }

    /// Tells the operator of upstreams that are not who they should be: nobody else can do anything about it.
    private func warn(of error: UpstreamError, at now: Instant) {
        guard case .untrusted(let reason) = error, route.trustWarnings.isDue(at: now) else { return }
        worker.shared.process.warning(
            "no trusted connection to an upstream",
            metadata: [
                "route": "\(route.name)", "upstream": "\(totals.upstream ?? "")", "error": "\(reason)",
            ])
    }
}

extension UpstreamError {
    /// Whether another upstream may do better; what one has begun to answer wrongly, another would too.
    fileprivate var isOfOneUpstream: Bool {
        switch self {
        case .unresolved, .unreachable, .connectTimeout, .untrusted, .brokenOff, .closedWhileIdle: true
        case .malformed: false
        }
    }
}
