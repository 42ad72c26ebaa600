import Downstream
import Flow
import Observability
import Settings

// The client leaves, and a client comes: for the first time to a promised stream, or again on another connection.

extension Stream {
    /// A client fetches the stream, for the first time or again.
    func attach(_ response: any ClientResponse) {
        let now = host.now()
        // Its own buffer may hold much less than was read meanwhile.
        let catchesUp = pipe.isReadOn
        pipe.attach(response, at: now)
        response.delegate = self
        nothingIsPending(at: now)
        machine.attached(catchesUpFrom: catchesUp ? now : nil)
        notePause(at: now)
        if let key = request.resumption { host.hasClient(self, by: key) }
        promise?.kept()
        // Only a failure ends a stream before its head; it was kept for this client.
        if head == nil { return end(machine.comingEnd ?? .upstreamFailed) }
        writeHead()
        pump(at: now)
    }

    /// The client has left and may come back.
    func detach(at now: Instant) {
        account.metrics.tally.disconnects[.resumable] += 1
        pipe.detach()
        nothingIsPending(at: now)
        if let end = machine.detachedUntil { permit?.detached(as: id, until: end) }
        readOn(at: now)
        notePause(at: now)
        setDeadline()
        if let key = request.resumption, isResumedByEvents { host.lostClient(self, by: key) }
    }

    /// Whether the response is one of events, and the same for each request with the stream's ``StreamRequest/resumption``.
    private var isResumedByEvents: Bool {
        pipe.format == .sse && head.map { ResumptionKey.covers(vary: $0.headers.listed(in: "vary")) } ?? false
    }

    /// Reads the upstream on, if the route says so, into the room that a client would have.
    private func readOn(at now: Instant) {
        guard pipe.replay != nil, route.settings.readsOnWithoutClient, !request.sharing.isShared else { return }
        pipe.readOn()
        // Not its mark in the middle: without a client nothing brings the queue to its low mark.
        perform(machine.recordsSent(level: pipe.queue.isFull ? .full : .low, at: now))
    }

    /// The client that has the first `received` records comes back for the rest, on another connection.
    ///
    /// - Parameters:
    ///   - received: The number of records.
    ///   - response: Made only if the stream is resumed.
    /// - Returns: The reason, if what it has not received is gone; then the stream still waits.
    func resume(after received: Int, _ response: @autoclosure () -> any ClientResponse) -> Problem? {
        let sent = account.totals.records
        switch pipe.rewind(after: received, of: sent) {
        case nil: return .cannotResume
        case .gone(let first): return .gone(resumableFrom: first)
        case .neverSent: return .invalidRequest("\(ResumeRequest.header) names more records than were sent")
        case .unread: break
        }
        guard permit?.attached() ?? true else {
            // Another start of this client took the slot, and the order to end is on its way.
            end(.clientGone)
            return .gone()
        }
        if let old = pipe.response {
            // The proxy has not noticed yet that the old connection is dead.
            old.delegate = nil
            old.abort()
            _ = machine.clientDisconnected(at: host.now())
        }
        account.resumed(after: received)
        attach(response())
        return nil
    }

    /// The client comes back for what follows an event, whose id it has received.
    ///
    /// A stream that has a client is not taken from it: the same user may have two pages open.
    ///
    /// - Parameters:
    ///   - event: The id.
    ///   - response: Made only if the stream is resumed.
    /// - Returns: Whether it is.
    func resume(afterEvent event: RecordKey, _ response: @autoclosure () -> any ClientResponse) -> Bool {
        guard machine.isDetached, let received = pipe.replay?.received(through: event) else { return false }
        return resume(after: received, response()) == nil
    }
}
