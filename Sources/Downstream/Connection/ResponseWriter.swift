package import Flow
package import NIOHTTP1

/// Writes one response to a connection of HTTP/1.1 of the same loop.
package final class ResponseWriter: ConnectionResponse {
    package typealias Body = ResponseBodyLength

    private enum State { case idle, open, ended }

    /// Until the response has been taken or the connection is gone.
    private var connection: ConnectionHandler?
    private let method: HTTPMethod
    private let version: HTTPVersion
    private let acceptsTrailers: Bool
    private var keepsAlive: Bool
    private var isChunked = false
    /// Whether fields can follow the body.
    private var carriesTrailers = false
    /// Whether only the connection's end tells the body's.
    private var isDelimitedByClose = false
    private var state = State.idle
    /// What of the connection's bytes the client had taken when that was last looked at.
    private var lastTaken: Int
    private var progress = 0
    package var delegate: (any ResponseWriterDelegate)?

    init(
        connection: ConnectionHandler, method: HTTPMethod, version: HTTPVersion, keepsAlive: Bool,
        acceptsTrailers: Bool = false
    ) {
        self.connection = connection
        self.method = method
        self.version = version
        self.acceptsTrailers = acceptsTrailers
        self.keepsAlive = keepsAlive
        lastTaken = connection.wire.written
    }

    package var isConnected: Bool { connection != nil }

    package func turnEnded() { connection?.outbox.turnEnded() }

    package var hasHead: Bool { state != .idle }
    package var hasEnded: Bool { state == .ended }

    package var canSendTrailers: Bool {
        acceptsTrailers && (hasHead ? carriesTrailers : version != .http1_0 && method != .HEAD)
    }

    package func closeAfterwards() { keepsAlive = false }

    package var room: Int {
        guard let connection, state == .open else { return 0 }
        return connection.outbox.room(for: connection.wire)
    }

    package var bytesTaken: ByteCount {
        if let connection {
            let taken = connection.wire.taken
            progress += max(0, taken - lastTaken)
            lastTaken = taken
        }
        return ByteCount(progress)
    }

    package var pendingBytes: ByteCount { ByteCount(connection?.wire.pendingBytes ?? 0) }

    package func expectPace(_ isMetered: Bool) {
        connection?.limitUnsent(to: isMetered ? UnsentLimit.metered : UnsentLimit.unmetered)
    }

    package func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders) {
        guard state == .idle, version != .http1_0 else { return }
        connection?.writeHead(status, in: version, headers: headers)
    }

    package func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength) {
        guard state == .idle else { return state == .open ? abort() : () }
        state = .open
        if let connection, !connection.mayLiveOn { keepsAlive = false }
        if body == .unknown, method != .HEAD {
            carriesTrailers = version != .http1_0
            if version == .http1_1 {
                isChunked = true
            } else if version == .http1_0 {
                isDelimitedByClose = true
                keepsAlive = false
            }
        }
        connection?.writeHead(
            status, in: version, headers: headers, framing: .init(isChunked: isChunked, connection: connectionOption))
    }

    /// What `Connection` says (RFC 9112, section 9.3).
    private var connectionOption: StaticString? {
        if !keepsAlive { return "close" }
        return version == .http1_0 ? "keep-alive" : nil
    }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard let connection, state == .open, method != .HEAD else { return }
        connection.outbox.append(bytes, for: connection.wire, isChunked: isChunked)
    }

    package func end(trailers: HTTPHeaders) {
        guard state == .open else { return }
        state = .ended
        guard let connection else { return }
        connection.writeEnd(isChunked: isChunked, trailers: canSendTrailers ? trailers : HTTPHeaders())
        connection.responseEnded(closes: !keepsAlive)
    }

    package func breakOff() {
        guard state != .ended else { return }
        state = .ended
        guard let connection else { return }
        connection.outbox.seal()
        connection.responseEnded(closes: true, isCut: isDelimitedByClose)
    }

    /// The response is over, one way or the other.
    func detach() -> (any ResponseWriterDelegate)? {
        defer { (connection, delegate) = (nil, nil) }
        return delegate
    }

    package func abort() {
        state = .ended
        connection?.wire.reset()
    }
}
