package import Flow
package import HTTPText
package import NIOHTTP1

/// Writes one response to a connection of HTTP/1.1 of the same loop.
package final class ResponseWriter: ConnectionResponse {
    private enum State { case idle, open, ended }

    /// Until the response has been taken or the connection is gone.
    private var connection: ConnectionHandler?
    private var framing: ResponseFraming
    private var state = State.idle
    private var taken: TakenBytes
    private var wantsAcknowledgement = false
    package var delegate: (any ResponseWriterDelegate)?

    init(connection: ConnectionHandler, framing: ResponseFraming) {
        (self.connection, self.framing) = (connection, framing)
        taken = TakenBytes(after: connection.wire.written)
    }

    package var isConnected: Bool { connection != nil }

    package func turnEnded() { connection?.outbox.turnEnded() }

    package var hasHead: Bool { state != .idle }
    package var hasEnded: Bool { state == .ended }
    package var canSendTrailers: Bool { framing.canSendTrailers }

    package func closeAfterwards() { framing.closeAfterwards() }

    package var room: Int {
        guard let connection, state == .open else { return 0 }
        return connection.room
    }

    package var bytesTaken: ByteCount {
        if let connection { taken.observe(connection.wire.taken) }
        return ByteCount(taken.total)
    }

    package var pendingBytes: ByteCount { ByteCount(connection?.wire.pendingBytes ?? 0) }

    package func expectPace(_ isMetered: Bool) { connection?.wire.expectPace(isMetered) }

    package func awaitAcknowledgement() { wantsAcknowledgement = true }

    /// Whether the response is over only when its end has been acknowledged.
    ///
    /// Not where the close of the connection is the end: that would come late. Nor once its stream has ended.
    var awaitsAcknowledgement: Bool { wantsAcknowledgement && delegate != nil && !framing.endsByClose }

    package func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        guard let connection, state == .idle, framing.hasInterimHeads else { return }
        connection.outbox.appendHead(status, in: framing.version, headers: headers, for: connection.wire)
    }

    package func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard state == .idle else { return state == .open ? abort() : () }
        state = .open
        framing.begin(body, mayKeepAlive: connection?.mayKeepAlive ?? false)
        guard let connection else { return }
        connection.outbox.appendHead(
            status, in: framing.version, headers: headers,
            framing: .init(isChunked: framing.isChunked, connection: framing.connectionOption), for: connection.wire)
    }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard let connection, state == .open, framing.sendsBody else { return }
        connection.write(bytes, isChunked: framing.isChunked)
    }

    package func write(_ chunk: WholeChunk) {
        guard let connection, state == .open, framing.sendsBody else { return }
        guard framing.isChunked else { return chunk.withBytes { connection.write($0, isChunked: false) } }
        connection.write(chunk)
    }

    package func end(trailers: HTTPHeaders) {
        guard state == .open else { return }
        state = .ended
        guard let connection else { return }
        if framing.isChunked {
            connection.outbox.end(for: connection.wire, trailers: framing.canSendTrailers ? trailers : HTTPHeaders())
        } else {
            connection.outbox.seal()
        }
        connection.responseEnded(framing.end)
    }

    package func breakOff() {
        guard state != .ended else { return }
        state = .ended
        guard let connection else { return }
        connection.outbox.seal()
        connection.responseEnded(framing.endIfTruncated)
    }

    package func abort() {
        state = .ended
        connection?.abort()
    }

    /// The response is over: it has been taken, or the connection is gone.
    ///
    /// - Returns: The delegate, for its last call.
    func detach() -> (any ResponseWriterDelegate)? {
        defer { (connection, delegate) = (nil, nil) }
        return delegate
    }
}
