import Downstream
import Flow
import NIOHTTP1
import Observability
import Settings
import Upstream

// What comes from the upstream.

extension StreamDriver: TransferDelegate {
    func transferHead(_ head: UpstreamResponseHead) {
        let now = worker.clock()
        machine.headArrived(at: now)
        if let asyncTimer { worker.timers.cancel(asyncTimer) }
        let hasBody = head.hasBody(method: asked.request.head.method)
        var headers = head.headers.withoutHopByHop()
        worker.shared.served.forwarding.addVia(to: &headers, version: "1.\(head.minorVersion)")
        // RFC 9110, section 6.6.1: who has a clock adds what an upstream without one left out.
        if !headers.contains(name: "date") { headers.add(name: "Date", value: worker.shared.date.text(at: .now())) }
        if isMetered(head, hasBody: hasBody) {
            becomeStream(&headers, at: now)
        } else {
            permit?.turnedOutPlain()
        }
        totals.status = head.status
        isDelimitedByClose = head.isDelimitedByClose(method: asked.request.head.method)
        let keepsLength = head.contentLength != nil && !(isStream && mayChangeLength)
        if hasBody, !keepsLength { headers.remove(name: "content-length") }
        self.head = ResponseHead(
            status: HTTPResponseStatus(statusCode: head.status, reasonPhrase: head.reason), headers: headers,
            body: !hasBody ? .none : keepsLength ? .length : .unknown)
        writeHead()
        if machine.isDetached { machine.detached(until: now + asyncExpiry) }
        armDeadline()
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

    /// Whether the client may get other bytes than the upstream's: fewer, some of weir's own, or only the rest.
    ///
    /// Then the upstream's length must not be promised: a client would take the next answer for what is missing.
    private var mayChangeLength: Bool {
        route.settings.overflow.drops || asked.preferences.wantsNotices || route.settings.resumeWindow != nil
    }

    private func becomeStream(_ headers: inout HTTPHeaders, at now: Instant) {
        isStream = true
        totals.terms = terms
        pacer.begin(
            pace: wish.terms.pace, burst: terms.burst, sharesBudget: route.settings.streams.clientRecords != nil,
            at: now)
        if route.settings.resumeWindow != nil { replay = ReplayBuffer(framer: .lines) }
        queue = StreamQueue(
            framer: .lines,
            bounds: .init(
                records: wish.terms.buffer - replayShare(of: wish.terms.buffer),
                bytes: ByteCount(terms.maximumBytes.bytes - replayShare(of: terms.maximumBytes.bytes)),
                record: terms.maximumRecordBytes),
            overflow: route.settings.overflow, keys: route.keys, tellsLosses: asked.preferences.wantsNotices)
        addStreamFields(
            to: &headers, terms: terms, id: id, starts: route.gate.rules.limits.starts, quota: permit?.startsLeft,
            totalItemsHeader: route.settings.totalItemsHeader)
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

    func transferEnded(_ end: TransferEnd) {
        let now = worker.clock()
        transfer = nil
        endBody()
        var outcome = Outcome.completed
        if case .failed(let error) = end {
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
        keepFailure(at: now)
        pump(at: now)
    }
}
