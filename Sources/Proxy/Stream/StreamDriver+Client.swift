import Downstream
import Flow
import NIOHTTP1
import Observability
import Settings

// Who reads the stream, and what they say while it runs.

/// A response's head, kept for a client that comes, or comes back, later.
struct ResponseHead {
    let status: HTTPResponseStatus
    var headers: HTTPHeaders
    let body: ResponseBodyLength
    /// What the upstream said will follow the body (`Trailer`; RFC 9110, section 6.6.2).
    let trailerNames: [String]
}

extension StreamDriver: ResponseWriterDelegate {
    func responseHasRoom() {
        let now = worker.clock()
        machine.clientTook()
        nothingIsPending(at: now)
        permit?.delivered(totals.records, at: now)
        // Told after each batch that went out; mostly there is nothing behind it.
        guard queue.hasOutput || machine.isEmptying else { return waitForPace(hasRoom: true) }
        pump(at: now)
    }

    func responseIsHeldUp() {
        let now = worker.clock()
        pendingBytes = response?.pendingBytes.bytes ?? 0
        perform(machine.clientStopped(level: queue.level, delivery: delivery, at: now))
        notePause(at: now)
        gauge()
        if !machine.isFinished { armDeadline() }
    }

    func responseFinished() { perform(machine.responseTaken()) }

    func responseClosed() {
        perform(replay == nil ? machine.end(.clientGone) : machine.clientLeft(at: worker.clock()))
    }

    func responseFailed() {
        let now = worker.clock()
        // Of one client's protocol; the upstream's breaker must not open for all of them.
        judgeUpstream(.clientGone, at: now)
        end(.upstreamFailed, problem: .badUpstream(.malformed))
    }

    // MARK: What the client has not taken

    /// The deadline timer fired while the client has bytes to take.
    func lookAtClient(at now: Instant) {
        guard let response else { return }
        pendingBytes = response.pendingBytes.bytes
        machine.clientLooked(taken: response.bytesTaken.bytes, delivery: delivery, at: now)
        gauge()
    }

    /// The client took all that was handed over, or its connection is gone.
    func nothingIsPending(at now: Instant) {
        guard pendingBytes > 0 else { return }
        pendingBytes = 0
        perform(machine.recordsLeft(level: queue.level, at: now))
        gauge()
    }

    /// What the client's channel holds counts towards the stream's bound.
    ///
    /// Not under `overflow: disconnect`, where a full queue ends the stream: one write would fill a small bound.
    func countPending() { queue.pendingBytes = machine.limits.endsWhenFull ? 0 : pendingBytes }

    private var delivery: Delivery {
        Delivery(handedOver: totals.bytes.bytes, pending: pendingBytes, bound: terms.maximumBytes)
    }

    /// Writes the head to whoever is there to read it.
    func writeHead() {
        guard let head, let response else { return }
        var headers = head.headers
        if isStream { response.expectPace(!pacer.isUnlimited) }
        if sendsTrailers {
            let names = head.trailerNames + (isStream ? ["X-Stream-Status, X-Stream-Items"] : [])
            if !names.isEmpty { headers.add(name: "Trailer", value: names.joined(separator: ", ")) }
        }
        response.writeHead(head.status, headers: headers, body: head.body)
        // Headers are some kilobytes, and only a client that may come back is sent them again.
        if replay == nil { self.head?.headers = HTTPHeaders() }
    }

    /// Whether trailers reach the client: who asks for them gets them, where the response is chunked.
    var sendsTrailers: Bool { head?.body == .unknown && (response?.canSendTrailers ?? false) }

    /// Whether a request that names the stream wants its records.
    ///
    /// It does when its `Accept` names a type of streams, or the type that this one has. A range such as `*/*` does not:
    /// who looks at a stream's state must not take it away.
    func isWanted(by request: Request) -> Bool {
        let type = head?.headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased()
        return request.head.headers.listed(in: "accept").contains { range in
            let accepted = range.prefix { $0 != ";" }.lowercased()
            return route.settings.types.format(ofContentType: range) != nil || accepted == type
        }
    }

    // MARK: Coming and going

    /// A client has come for the stream: for the first time, or again.
    func attach(_ response: any ClientResponse) {
        let now = worker.clock()
        self.response = response
        response.delegate = self
        nothingIsPending(at: now)
        machine.attached()
        heartbeat?.attached(at: now)
        notePause(at: now)
        keepPromise()
        // Only a failure ends a stream before its head; it was kept for this client.
        if head == nil { return end(machine.comingEnd ?? .upstreamFailed) }
        writeHead()
        pump(at: now)
    }

    /// The client that had `after` records comes back for the rest, on another connection.
    ///
    /// - Returns: Why not, where what it misses is gone; then the stream goes on waiting.
    func resume(after: Int, _ response: any ClientResponse) -> Problem? {
        guard replay != nil else { return .cannotResume }
        switch replay?.rewind(after: after, { queue.putBack($0, records: $1) }) {
        case .gone(let first): return .gone(resumableFrom: first)
        case .neverSent, nil: return .invalidRequest("\(ResumeRequest.header) names more records than were sent")
        case .unread: break
        }
        guard permit?.attached() ?? true else {
            // Another start of this client took the slot, and the order to end is on its way.
            end(.clientGone)
            return .gone()
        }
        if let old = self.response {
            // The proxy has not noticed yet that the old connection is dead.
            old.delegate = nil
            old.abort()
            _ = machine.clientLeft(at: worker.clock())
        }
        pacer.returned(totals.records - after)
        totals.records = after
        totals.resumptions += 1
        attach(response)
        return nil
    }

    /// Of the stream's one bound, what is not for the queue: what was sent last may be lost with the connection, and an
    /// upstream that fills the queue would leave none of it to be sent again.
    func replayShare(of bound: Int) -> Int { replay == nil ? 0 : bound / 2 }

    /// Keeps what was handed over for a client that comes back: its share of the bound, and what the queue does not need.
    func keepForReplay(_ records: Int) {
        let (mostRecords, mostBytes) = (wish.terms.buffer, terms.maximumBytes.bytes)
        let kept = (
            records: max(replayShare(of: mostRecords), mostRecords - queue.records),
            bytes: max(replayShare(of: mostBytes), mostBytes - queue.bytes)
        )
        replay?.append(UnsafeRawBufferPointer(start: nil, count: 0), records: records)
        replay?.trim(records: kept.records, bytes: kept.bytes)
    }

    // MARK: Feedback

    /// Does what the client says from now on; the answer is the stream's state after it.
    func heard(_ feedback: Feedback) {
        let now = worker.clock()
        wish.received(feedback)
        totals.feedbacks += 1
        applyPace(at: now)
        if let isPaused = feedback.isPaused { pacer.hold(isPaused) }
        if let records = feedback.request { pacer.request(records) }
        if feedback.bufferSize != nil { applyBuffer(at: now) }
        noteHold(at: now)
        pump(at: now)
    }

    /// The configuration has changed: what the route allows now counts from now on, for time as well as for terms.
    ///
    /// What the stream is made of stays as it was: its upstream, its framing, its overflow, whether it can be resumed, and
    /// the bytes that it may hold.
    func adopt(_ route: ProxyRoute) {
        let now = worker.clock()
        asked.route = route
        var limits = route.machineLimits
        if isStream {
            (limits.resumeWindow, limits.endsWhenFull) = (machine.limits.resumeWindow, machine.limits.endsWhenFull)
        }
        machine.setLimits(limits, at: now)
        wish.limit(by: route.settings.policy)
        applyPace(at: now)
        if isStream { applyBuffer(at: now) }
        armDeadline()
        pump(at: now)
    }

    private func applyPace(at now: Instant) {
        guard isStream else { return }
        pacer.change(pace: wish.terms.pace, burst: terms.burst, at: now)
        response?.expectPace(!pacer.isUnlimited)
    }

    private func applyBuffer(at now: Instant) {
        queue.setRecordBound(wish.terms.buffer - replayShare(of: wish.terms.buffer))
        if replay != nil { keepForReplay(0) }
        perform(machine.recordsLeft(level: queue.level, at: now))
    }

    /// Starts or stops the clock of a client that holds its own stream back.
    func noteHold(at now: Instant) {
        guard pacer.isHeldByClient != (heldSince != nil) else { return }
        if let since = heldSince {
            totals.held += now - since
            heldSince = nil
            machine.clientHoldsNoMore(at: now)
            armDeadline()
        } else {
            heldSince = now
            machine.clientHolds(at: now)
            armDeadline()
        }
        notePause(at: now)
    }
}
