package import Flow
package import NIOCore
package import NIOHTTP1

/// A response to a client whose connection is on another loop than the stream that writes it.
///
///     stream's loop: writes of one turn ──batch──▶ connection's loop: ResponseRelay, ConnectionResponse
///                    room again         ◀──taken──
///
/// One batch is in flight at a time, and there is no room until the client's socket has taken it: at most
/// ``BatchSize/maximum`` bytes wait on either loop, however slowly the client reads. A batch costs one hop each way, whatever
/// the number of its records.
package final class RelayedResponse: ClientResponse {
    private enum State { case idle, open, ended }

    private let eventLoop: any EventLoop
    private let relay: NIOLoopBound<ResponseRelay>
    private let acceptsTrailers: Bool
    private var isChunkable = true
    private var state = State.idle
    /// Whether the connection has sent its last report.
    private var isOver = false
    private var batch = RelayBatch()
    /// Whether the batch is sent at the end of the turn.
    private var isScheduled = false
    /// As the connection reported it last.
    private var lastTaken = ByteCount.zero
    private var awaitsProgress = false
    package var delegate: (any ResponseWriterDelegate)?

    /// Takes a response over on the stream's loop, where it is used from now on.
    package init(_ handOver: ResponseHandOver, on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        relay = handOver.relay
        acceptsTrailers = handOver.canSendTrailers
        let (relay, listener) = (relay, NIOLoopBound(self, eventLoop: eventLoop))
        relay.eventLoop.execute { relay.value.begin(with: listener) }
    }

    package var hasHead: Bool { state != .idle }
    package var hasEnded: Bool { state == .ended }
    package var canSendTrailers: Bool { acceptsTrailers && isChunkable }

    package var room: Int {
        guard state == .open, !isOver, !batch.isInFlight else { return 0 }
        // As on one loop: if the most that libcurl delivers at once does not fit, send first.
        if batch.free >= BatchSize.largestPiece { return batch.free }
        send()
        return 0
    }

    /// As of the last report; each call requests another, so the value is as old as the call before.
    package var bytesTaken: ByteCount {
        if !awaitsProgress, !isOver {
            awaitsProgress = true
            relay.eventLoop.execute { [relay] in relay.value.reportProgress() }
        }
        return lastTaken
    }

    package var pendingBytes: ByteCount { ByteCount(batch.pendingBytes) }

    // MARK: Writing

    package func closeAfterwards() { send([.closeAfterwards]) }

    package func expectPace(_ isMetered: Bool) { send([.expectPace(isMetered)]) }

    package func awaitAcknowledgement() { batch.append(.awaitAcknowledgement) }

    package func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        if state == .idle { send([.interim(status, headers)]) }
    }

    package func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard state == .idle else { return state == .open ? abort() : () }
        state = .open
        isChunkable = body == .unknown
        batch.append(.head(status, headers, body))
        sendAtEndOfTurn()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard state == .open, !isOver, !bytes.isEmpty else { return }
        batch.append(bytes)
        sendAtEndOfTurn()
    }

    package func end(trailers: HTTPHeaders) {
        guard state == .open else { return }
        end(by: .end(trailers))
    }

    package func breakOff() {
        guard state != .ended else { return }
        end(by: .breakOff)
    }

    package func abort() {
        state = .ended
        batch.discard()
        send([.abort])
    }

    /// An end does not wait for the batch in flight: the writer has written what it may.
    private func end(by order: RelayOrder) {
        state = .ended
        batch.append(order)
        send()
    }

    // MARK: To the connection's loop

    /// What one turn of this loop writes goes in one batch.
    private func sendAtEndOfTurn() {
        guard !isScheduled, !batch.isInFlight else { return }
        isScheduled = true
        eventLoop.assumeIsolated().execute { [self] in
            isScheduled = false
            if !batch.isInFlight { send() }
        }
    }

    private func send() {
        let orders = batch.take()
        if !orders.isEmpty { send(orders) }
    }

    private func send(_ orders: [RelayOrder]) {
        guard !isOver else { return }
        relay.eventLoop.execute { [relay] in relay.value.perform(orders) }
    }

    // MARK: From the connection's loop

    func received(_ report: RelayReport) {
        switch report {
        case .taken: taken()
        case .blocked(let bytes):
            lastTaken = bytes
            delegate?.responseBlocked()
        case .progress(let bytes):
            awaitsProgress = false
            lastTaken = bytes
        case .handedOver: delegate?.responseHandedOver()
        case .finished: over()?.responseFinished()
        case .closed: over()?.responseClosed()
        case .failed: over()?.responseFailed()
        }
    }

    private func taken() {
        batch.taken()
        guard state == .open else { return }
        // What is left is more than there was room for, such as a record larger than a batch.
        if batch.isEmpty { delegate?.responseCaughtUp() } else { send() }
    }

    private func over() -> (any ResponseWriterDelegate)? {
        defer { delegate = nil }
        isOver = true
        batch.discard()
        return delegate
    }
}
