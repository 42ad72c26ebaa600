import Downstream
import Flow

/// What changes while the stream runs: the client's terms, its budget, and what it returns for.
extension RecordPipe {
    /// The memory that the stream uses: queued, written and not taken, and kept for a client that comes back.
    var heldBytes: Int { queue.storedBytes + pendingBytes + (replay?.bytes ?? 0) }

    // MARK: Terms

    /// Applies what the client requests; the pace and the buffer as far as the route allows.
    func apply(_ feedback: Feedback, at now: Instant) {
        effective.received(feedback)
        applyPace(at: now)
        if let isPaused = feedback.isPaused { pacer.hold(isPaused) }
        if let records = feedback.request { pacer.request(records) }
        if feedback.bufferSize != nil { applyBuffer() }
    }

    /// Applies the maxima of another policy.
    func limit(by policy: Policy, at now: Instant) {
        effective.limit(by: policy)
        applyPace(at: now)
        if format != nil { applyBuffer() }
    }

    private func applyPace(at now: Instant) {
        guard format != nil else { return }
        pacer.change(pace: effective.terms.pace, burst: effective.granted.burst, at: now)
        response?.expectPace(!pacer.isUnlimited)
    }

    private func applyBuffer() {
        let bound = queueBound
        queue.setRecordBound(bound.records)
        guard replay != nil else { return }
        queue.setByteBound(ByteCount(bound.bytes))
        keepForReplay(0)
    }

    // MARK: The shared budget

    /// Records were drawn from the budget of the client; `nil` if it has none any more.
    func lease(_ draw: RecordDraw?) {
        switch draw {
        case .lease(let records, let begins): pacer.lease(records, notBefore: begins)
        case .later(let time): pacer.awaitLease(until: time)
        case nil: pacer.leaveBudget()
        }
    }

    // MARK: Resumption

    /// Takes back what a client that returns has not received: it is queued again, before everything else.
    ///
    /// - Parameters:
    ///   - received: The records of the stream that the client has.
    ///   - sent: The records that were sent.
    /// - Returns: The result; `nil` if the stream cannot be resumed.
    func rewind(after received: Int, of sent: Int) -> ReplayBuffer.Rewind? {
        let result = replay?.rewind(after: received) { queue.putBack($0, records: $1) }
        if case .unread = result {
            pacer.returned(sent - received)
            delivered = received
            if reportsLosses, let reported = replay?.takeLosses(after: received) { losses.putBack(reported) }
        }
        return result
    }

    /// The client is gone: the queue has the room that the route grants to any client, as far as the replay buffer leaves
    /// it, until the next ``attach(_:at:)``.
    func readOn() {
        isReadOn = true
        applyBuffer()
    }

    /// The client is back, and its own buffer applies again; a queue with more than that is full.
    func stopReadingOn() {
        guard isReadOn else { return }
        isReadOn = false
        applyBuffer()
    }

    /// The bounds of the stream at the moment.
    var bound: ResumableBounds.Size {
        .init(
            records: isReadOn ? effective.maximumBuffer : effective.terms.buffer,
            bytes: effective.granted.maximumBytes.bytes)
    }

    /// The queue's part of them.
    var queueBound: ResumableBounds.Size {
        guard let kept = replay?.size else { return bound }
        let bounds = ResumableBounds(bound)
        return isReadOn ? bounds.queue(beside: kept) : bounds.queue
    }

    /// Counts records that were sent and keeps them within the replay buffer's part of the bounds.
    func keepForReplay(_ records: Int) {
        replay?.append(UnsafeRawBufferPointer(start: nil, count: 0), records: records)
        let most = ResumableBounds(bound).replay(beside: .init(records: queue.records, bytes: queue.bytes))
        replay?.trim(records: most.records, bytes: most.bytes)
    }
}
