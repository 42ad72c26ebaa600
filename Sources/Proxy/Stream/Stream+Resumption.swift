import Downstream
import Flow
import Observability

// The client leaves, and a client comes: for the first time to a promised stream, or again on another connection.

extension Stream {
    /// A client fetches the stream, for the first time or again.
    func attach(_ response: any ClientResponse) {
        let now = host.now()
        pipe.attach(response, at: now)
        response.delegate = self
        nothingIsPending(at: now)
        machine.attached()
        notePause(at: now)
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
        notePause(at: now)
        setDeadline()
    }

    /// The client that has the first `received` records comes back for the rest, on another connection.
    ///
    /// - Returns: The reason, if what it has not received is gone; then the stream still waits.
    func resume(after received: Int, _ response: any ClientResponse) -> Problem? {
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
        attach(response)
        return nil
    }
}
