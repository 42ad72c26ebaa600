import Downstream
import Flow
import NIOHTTP1
import Observability
import Settings

// What the client does: it takes the response, leaves, changes its terms.

extension Stream: ResponseWriterDelegate {
    func responseCaughtUp() {
        let now = host.now()
        machine.clientTook()
        nothingIsPending(at: now)
        permit?.delivered(account.totals.records, at: now)
        guard pipe.queue.hasOutput || machine.isEmptying else { return waitForPace(hasRoom: true) }
        pump(at: now)
    }

    func responseBlocked() {
        let now = host.now()
        setPending(pipe.response?.pendingBytes.bytes ?? 0)
        perform(machine.clientStopped(level: pipe.queue.level, delivery: delivery, at: now))
        notePause(at: now)
        countBytes()
        if !machine.isFinished { setDeadline() }
    }

    func responseHandedOver() {
        // A process that stops has no client that comes back.
        guard !host.isDraining else { return responseFinished() }
        let now = host.now()
        machine.responseSent()
        nothingIsPending(at: now)
        // A client that has everything must not wait with its next start for an acknowledgement that is on its way; others get
        // the slot when it has arrived.
        permit?.detached(as: id, until: now)
    }

    func responseFinished() { perform(machine.responseTaken()) }

    func responseClosed() {
        // Nothing is resumed while weir drains: the drain must not wait for this client.
        let mayReturn = pipe.replay != nil && !host.isDraining
        perform(mayReturn ? machine.clientDisconnected(at: host.now()) : machine.end(.clientGone))
    }

    func responseFailed() {
        // A fault of one client's protocol: it must not open the upstream's breaker for all clients.
        judgeUpstream(.clientGone, at: host.now())
        end(.upstreamFailed, problem: .badUpstream(.malformed))
    }

    // MARK: What the client has not taken

    /// The deadline timer fired while the client has bytes to take.
    func lookAtClient(at now: Instant) {
        guard let response = pipe.response else { return }
        setPending(response.pendingBytes.bytes)
        machine.clientLooked(taken: response.bytesTaken.bytes, delivery: delivery, at: now)
        countBytes()
    }

    /// The client took everything that was written, or its connection is gone.
    func nothingIsPending(at now: Instant) {
        guard pipe.pendingBytes > 0 else { return }
        setPending(0)
        perform(machine.recordsSent(level: pipe.queue.level, at: now))
        countBytes()
    }

    /// What the client's channel holds counts towards the stream's bound.
    ///
    /// Not under `overflow: disconnect`, where a full queue ends the stream: one write would fill a small bound.
    private func setPending(_ bytes: Int) { pipe.setPending(bytes, countsTowardsBound: !machine.limits.endsWhenFull) }

    private var delivery: Delivery {
        Delivery(
            handedOver: account.totals.bytes.bytes, pending: pipe.pendingBytes, bound: request.terms.maximumBytes)
    }

    // MARK: The head

    /// Writes the head, if the stream has both a head and a client.
    func writeHead() {
        guard let head, let response = pipe.response else { return }
        if isStream { response.expectPace(!pipe.pacer.isUnlimited) }
        head.write(to: response, isStream: isStream)
        // Fields take some kilobytes, and only a client that may come back is sent them again.
        if pipe.replay == nil { self.head?.headers = HTTPHeaders() }
    }

    /// Whether a request with these fields is for the stream's records.
    func isWanted(by headers: HTTPHeaders) -> Bool {
        headers.acceptRecords(ofType: head?.headers.first(name: "content-type"), types: route.settings.types)
    }

    // MARK: Terms

    /// Applies the client's feedback to what follows.
    func apply(_ feedback: Feedback) {
        let now = host.now()
        account.feedbackArrived()
        pipe.apply(feedback, at: now)
        if isStream, feedback.bufferSize != nil { perform(machine.recordsSent(level: pipe.queue.level, at: now)) }
        noteHold(at: now)
        pump(at: now)
    }

    /// The configuration was replaced: the route's terms and deadlines apply from now on.
    ///
    /// What the stream consists of stays: its upstream, its framing, its overflow policy, whether it can be resumed, and its
    /// bound in bytes.
    func adopt(_ route: ProxyRoute) {
        let now = host.now()
        request.route = route
        var limits = request.machineLimits
        if isStream {
            (limits.resumeWindow, limits.endsWhenFull) = (machine.limits.resumeWindow, machine.limits.endsWhenFull)
        }
        machine.setLimits(limits, at: now)
        if limits.firstRecord == nil { releaseHead(at: now) }
        pipe.limit(by: route.policy(of: request.tier), at: now)
        if isStream { perform(machine.recordsSent(level: pipe.queue.level, at: now)) }
        setDeadline()
        pump(at: now)
    }

    /// Starts or stops the clock of a client that holds its own stream.
    func noteHold(at now: Instant) {
        let isHeld = pipe.pacer.isStoppedByClient
        guard isHeld != (account.heldSince != nil) else { return }
        account.held(isHeld, at: now)
        if isHeld { machine.clientPaused(at: now) } else { machine.clientResumed(at: now) }
        setDeadline()
        notePause(at: now)
    }
}
