import Flow
import NIOCore
import NIOHTTP1

extension HTTP2Stream: ConnectionResponse {
    var isConnected: Bool { connection != nil }
    func turnEnded() { services.outbox.turnEnded() }
    var hasHead: Bool { state != .idle }
    var hasEnded: Bool { state == .ended }

    var canSendTrailers: Bool {
        acceptsTrailers && (hasHead ? carriesTrailers : method != .HEAD)
    }

    var room: Int {
        guard let connection, state == .open, !isBlocked else { return 0 }
        let free = BatchSize.maximum - pending.readableBytes
        if pending.readableBytes == 0 ? connection.isWritable : free >= BatchSize.largestPiece { return free }
        // Where what libcurl hands over at once no longer fits, send first, to learn whether the client takes it.
        if pending.readableBytes > 0 { connection.flush() }
        if pending.readableBytes == 0, connection.isWritable { return BatchSize.maximum }
        isBlocked = true
        stage()
        return 0
    }

    /// Body bytes that the client has let come, and what its kernel took while only that was waited for; never falls.
    ///
    /// What the kernel takes of other streams' bytes is no progress of this one, so it counts only where this stream's
    /// window, and the connection's, are open. One system call.
    var bytesTaken: ByteCount {
        if let connection, connection.session?.isWindowOpen(of: id) ?? false {
            let unsent = connection.unsentBytes
            takenBehindWindow += max(0, (unsentBefore ?? unsent) - unsent)
            unsentBefore = unsent
        } else {
            unsentBefore = nil
        }
        return ByteCount(sent + takenBehindWindow)
    }

    var pendingBytes: ByteCount { isBlocked ? ByteCount(pending.readableBytes) : .zero }

    /// A connection is none of a response's business.
    func closeAfterwards() {}

    func expectPace(_ isMetered: Bool) {
        guard let connection, isMetered != self.isMetered else { return }
        self.isMetered = isMetered
        connection.paceChanged(of: self)
    }

    func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        guard let connection, state == .idle else { return }
        setFields(status, headers)
        connection.session?.submitInterim(&buffers.fields, on: id)
        connection.stage()
    }

    func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard state == .idle else { return state == .open ? abort() : () }
        state = .open
        hasBody = body != .none && method != .HEAD
        carriesTrailers = body == .unknown && hasBody
        guard let connection else { return }
        setFields(status, headers)
        connection.session?.submitHead(&buffers.fields, on: id, hasBody: hasBody)
        stage()
    }

    private func setFields(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) {
        buffers.fields.removeAll()
        buffers.fields.add(":status", String(status.code))
        buffers.fields.add(headers)
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard connection != nil, state == .open, hasBody, bytes.count > 0 else { return }
        if pending.capacity == 0 { pending = buffers.takeBatch() }
        pending.writeBytes(bytes)
        stage()
    }

    func end(trailers: HTTPHeaders) {
        guard state == .open else { return }
        state = .ended
        if canSendTrailers, !trailers.isEmpty { self.trailers = trailers }
        dropBody()
        stage()
    }

    func breakOff() {
        guard state != .ended else { return }
        let hasFrames = state == .open && hasBody
        (state, isBrokenOff) = (.ended, true)
        dropBody()
        // What was written goes out first (``nextPiece(upTo:)``).
        if !hasFrames { resetInSession(.internalError) }
        stage()
    }

    /// The code reports that the client is the reason.
    func abort() { resetNow(.enhanceYourCalm) }
}
