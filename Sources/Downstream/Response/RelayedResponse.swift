package import Flow
package import NIOCore
package import NIOHTTP1

/// A response to a client whose connection lives on another loop than the stream that it is made of.
///
///     stream's loop: writes of one turn ──batch──▶ connection's loop: ResponseRelay, ConnectionResponse
///                    room again         ◀──taken──
///
/// One batch is under way at a time, and there is no room until the client's socket has taken it: at most
/// ``BatchSize/maximum`` bytes wait on either side, however slowly the client reads. A batch costs one hop each way, whatever
/// the number of its records.
package final class RelayedResponse: ClientResponse {
    private enum State { case idle, open, ended }

    private let eventLoop: any EventLoop
    private let relay: NIOLoopBound<ResponseRelay>
    private let acceptsTrailers: Bool
    private var isChunkable = true
    private var state = State.idle
    /// The connection has told the last.
    private var isOver = false
    /// Heads and bytes that have not been sent over; the bytes come last.
    private var orders: [RelayOrder] = []
    private var batch = ByteBuffer()
    private var isUnderWay = false
    /// Of the batch that is under way.
    private var bytesUnderWay = 0
    private var isScheduled = false
    private var lastTaken = ByteCount.zero
    private var isAsking = false
    package var delegate: (any ResponseWriterDelegate)?

    /// Takes a response over on the stream's loop, where it is used from here on.
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
        guard state == .open, !isOver, !isUnderWay else { return 0 }
        let free = BatchSize.maximum - batch.readableBytes
        // As for a client of this loop: where what libcurl hands over at once no longer fits, send first.
        if free >= BatchSize.largestPiece { return free }
        send()
        return 0
    }

    /// As of the last look there; each asking has it looked at anew, so the answer is as old as the asking before.
    package var bytesTaken: ByteCount {
        if !isAsking, !isOver {
            isAsking = true
            relay.eventLoop.execute { [relay] in relay.value.tellProgress() }
        }
        return lastTaken
    }

    package var pendingBytes: ByteCount { ByteCount(bytesUnderWay + batch.readableBytes) }

    // MARK: Writing

    package func closeAfterwards() { send([.closeAfterwards]) }

    package func expectPace(_ isMetered: Bool) { send([.expectPace(isMetered)]) }

    package func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        if state == .idle { send([.interim(status, headers)]) }
    }

    package func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard state == .idle else { return state == .open ? abort() : () }
        state = .open
        isChunkable = body == .unknown
        orders.append(.head(status, headers, body))
        sendSoon()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard state == .open, !isOver, !bytes.isEmpty else { return }
        batch.writeBytes(bytes)
        sendSoon()
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
        (orders, batch) = ([], ByteBuffer())
        send([.abort])
    }

    /// An end waits for no batch: whoever writes has written what it may.
    private func end(by order: RelayOrder) {
        state = .ended
        packBatch()
        orders.append(order)
        send()
    }

    // MARK: The way there

    /// What one turn of this loop writes goes in one batch.
    private func sendSoon() {
        guard !isScheduled, !isUnderWay else { return }
        isScheduled = true
        eventLoop.assumeIsolated().execute { [self] in
            isScheduled = false
            if !isUnderWay { send() }
        }
    }

    private func packBatch() {
        guard batch.readableBytes > 0 else { return }
        bytesUnderWay += batch.readableBytes
        orders.append(.bytes(batch))
        batch = ByteBuffer()
    }

    private func send() {
        packBatch()
        guard !orders.isEmpty else { return }
        isUnderWay = true
        send(orders)
        orders = []
    }

    private func send(_ orders: [RelayOrder]) {
        guard !isOver else { return }
        relay.eventLoop.execute { [relay] in relay.value.perform(orders) }
    }

    // MARK: The way back

    func hear(_ report: RelayReport) {
        switch report {
        case .taken: taken()
        case .heldUp(let bytes):
            lastTaken = bytes
            delegate?.responseIsHeldUp()
        case .progress(let bytes):
            isAsking = false
            lastTaken = bytes
        case .finished: over()?.responseFinished()
        case .closed: over()?.responseClosed()
        case .failed: over()?.responseFailed()
        }
    }

    private func taken() {
        isUnderWay = false
        bytesUnderWay = 0
        guard state == .open else { return }
        // More than there was room for, such as a record larger than a batch.
        if orders.isEmpty, batch.readableBytes == 0 { delegate?.responseHasRoom() } else { send() }
    }

    private func over() -> (any ResponseWriterDelegate)? {
        defer { delegate = nil }
        isOver = true
        (orders, batch) = ([], ByteBuffer())
        return delegate
    }
}
