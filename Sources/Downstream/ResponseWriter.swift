package import Flow
package import NIOHTTP1

/// Hears how the client takes its response; on the loop.
package protocol ResponseWriterDelegate: AnyObject {
    /// The client took everything so far: there is room again.
    func responseHasRoom()

    /// Of what was sent at once, the client's socket did not take all.
    func responseIsHeldUp()

    /// The client's socket took the end of the response. The last call.
    func responseFinished()

    /// The client left before that. The last call.
    func responseClosed()
}

/// Writes one response: a head once, body bytes as long as there is room, an end once.
///
/// It cannot be written twice, and once the connection is gone every call does nothing.
package final class ResponseWriter {
    /// How the end of the body is told.
    package enum Body: Equatable, Sendable {
        /// There is none: HEAD, 204, 304.
        case none
        /// Content-Length stands in the headers.
        case length
        /// Chunked for an HTTP/1.1 client, by closing for an HTTP/1.0 client.
        case unknown
    }

    private enum State { case idle, open, ended }

    /// Until the response has been taken or the connection is gone.
    private var connection: ConnectionHandler?
    private let method: HTTPMethod
    private let version: HTTPVersion
    private let acceptsTrailers: Bool
    private var keepsAlive: Bool
    private var isChunked = false
    private var state = State.idle
    /// What of the connection's bytes the client had taken when that was last looked at.
    private var lastTaken: Int
    private var progress = 0
    /// Until the last call to it; it owns the writer.
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

    package var hasHead: Bool { state != .idle }
    package var hasEnded: Bool { state == .ended }

    /// Whether trailers reach the client: it asked for them, and the body is chunked.
    ///
    /// Asked before the head, it tells how it would be with a body of unknown length. Who sends trailers names them in the
    /// head's `Trailer` (RFC 9110, section 6.6.2).
    package var canSendTrailers: Bool {
        acceptsTrailers && (hasHead ? isChunked : version == .http1_1 && method != .HEAD)
    }

    /// The connection closes behind this response.
    package func closeAfterwards() { keepsAlive = false }

    /// Body bytes that may be written now; 0 while the client has not taken what it was given.
    package var room: Int {
        guard let connection, state == .open else { return 0 }
        return connection.outbox.room(for: connection.wire)
    }

    /// Bytes of this response, head and framing included, that the client's kernel has acknowledged; never falls.
    ///
    /// Moves as the client reads, also while there is no room, and stands when it does not: tells a slow client from one that
    /// has stopped. One system call. Of a unix socket, whose queue the kernel counts with its own overhead, only the
    /// differences between two looks at a client that is held up mean something.
    package var bytesTaken: ByteCount {
        if let connection {
            let taken = connection.wire.taken
            progress += max(0, taken - lastTaken)
            lastTaken = taken
        }
        return ByteCount(progress)
    }

    /// Says whether the records that follow leave at a pace, so that a client that does not read is noticed soon.
    package func expectPace(_ isMetered: Bool) {
        connection?.limitUnsent(to: isMetered ? UnsentLimit.metered : UnsentLimit.unmetered)
    }

    /// Writes the head; framing fields and `Connection` are set here.
    ///
    /// - Parameters:
    ///   - status: The status line's code and reason.
    ///   - headers: End-to-end fields, `Content-Length` among them where `body` says `length`.
    ///   - body: How the body is delimited; `none` for every answer to HEAD.
    package func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: Body) {
        precondition(state == .idle, "a response has one head")
        state = .open
        if let connection, !connection.mayLiveOn { keepsAlive = false }
        var headers = headers
        if body == .unknown, method != .HEAD {
            if version == .http1_1 {
                isChunked = true
                headers.add(name: "transfer-encoding", value: "chunked")
            } else {
                keepsAlive = false
            }
        }
        if !keepsAlive {
            headers.add(name: "connection", value: "close")
        } else if version == .http1_0 {
            headers.add(name: "connection", value: "keep-alive")
        }
        connection?.write(.head(HTTPResponseHead(version: version, status: status, headers: headers)))
    }

    /// Writes a whole response whose body is a short text; `Content-Length` is set here.
    package func respond(_ status: HTTPResponseStatus, headers: HTTPHeaders, text: String) {
        var (headers, text) = (headers, text)
        headers.add(name: "Content-Length", value: String(text.utf8.count))
        writeHead(status, headers: headers, body: .length)
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
        end()
    }

    /// Writes body bytes; at most `room` of them, unless a single record is larger.
    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard let connection, state == .open, method != .HEAD else { return }
        connection.outbox.append(bytes, for: connection.wire, isChunked: isChunked)
    }

    /// The response is complete.
    ///
    /// - Parameter trailers: Fields behind the last chunk; dropped where `canSendTrailers` says no.
    package func end(trailers: HTTPHeaders = [:]) {
        guard state == .open else { return }
        state = .ended
        guard let connection else { return }
        connection.outbox.seal()
        connection.write(.end(canSendTrailers && !trailers.isEmpty ? trailers : nil))
        connection.responseEnded(closes: !keepsAlive)
    }

    /// The response breaks off: what was written goes out, then the connection closes without an end (RFC 9112,
    /// section 8: a truncated message must look truncated).
    package func breakOff() {
        guard state != .ended else { return }
        state = .ended
        guard let connection else { return }
        connection.outbox.seal()
        connection.responseEnded(closes: true)
    }

    /// The response is over, one way or the other.
    func detach() -> (any ResponseWriterDelegate)? {
        defer { (connection, delegate) = (nil, nil) }
        return delegate
    }

    /// Closes the connection at once, without sending what is still held.
    package func abort() {
        state = .ended
        connection?.close()
    }
}
