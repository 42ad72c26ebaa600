package import Flow
package import HTTPText
package import NIOHTTP1

/// One response to a client: a head once, body bytes as long as there is room, an end once.
///
/// A ``ConnectionResponse`` if the client's connection is on the same loop, a ``RelayedResponse`` if not. Once the connection is
/// gone every call does nothing. There are three ends:
///
/// | | ``end(trailers:)`` | ``breakOff()`` | ``abort()`` |
/// |---|---|---|---|
/// | what was written and not taken | is sent | is sent | is dropped, in the kernel as well |
/// | client: HTTP/1.1 with a length | all bytes | a close before the last byte | a reset (RST) |
/// | client: HTTP/1.1 chunked | the last chunk | a close before the last chunk | a reset (RST) |
/// | client: HTTP/1.0 without a length | a close | a close; with TLS without `close_notify` | a reset (RST) |
/// | client: HTTP/2 | END_STREAM | RST_STREAM with INTERNAL_ERROR | RST_STREAM with ENHANCE_YOUR_CALM |
/// | connection of HTTP/1.1 after it | continues, if both sides keep it | closed | closed |
/// | connection of HTTP/2 after it | continues | continues | continues |
/// | last call to the delegate | `responseFinished` | `responseFinished` | `responseClosed` |
///
/// If the client leaves before it has taken the end, the last call is always `responseClosed`. After ``awaitAcknowledgement()``
/// that includes a client that has vanished after its socket had taken the end.
package protocol ClientResponse: AnyObject {
    /// Until the last call to it; it owns the response.
    var delegate: (any ResponseWriterDelegate)? { get set }

    var hasHead: Bool { get }
    var hasEnded: Bool { get }

    /// Body bytes that may be written now; 0 while the client has not taken what was written.
    var room: Int { get }

    /// Whether trailers reach the client: it accepts them, and the body is chunked.
    ///
    /// Before the head: whether they would with a body of unknown length. Trailers are named in the head's `Trailer` (RFC 9110,
    /// section 6.6.2).
    var canSendTrailers: Bool { get }

    /// Bytes of this response, head and framing included, that the client's kernel has acknowledged; never falls.
    ///
    /// Grows while the client reads, also while there is no room: it distinguishes a slow client from one that has stopped. One
    /// system call. For a unix socket, whose queue the kernel counts with its own overhead, only the difference between two
    /// values for a client that does not take everything is exact enough.
    var bytesTaken: ByteCount { get }

    /// Body bytes that were written and that the client's socket, or over HTTP/2 its window, has not taken; no system call.
    ///
    /// 0 for a client that keeps up. What is collected for the turn's write does not count.
    var pendingBytes: ByteCount { get }

    /// The connection closes after this response; to be called before the head.
    func closeAfterwards()

    /// Whether the records that follow leave at a pace, so that a client that does not read must be noticed soon.
    func expectPace(_ isMetered: Bool)

    /// The response is over only when the client's kernel has acknowledged its end; to be called before the end.
    ///
    /// A client that closes its connection in order after the end was sent counts as one that has it.
    func awaitAcknowledgement()

    /// Writes an informational head (1xx) before the head; dropped if the client speaks HTTP/1.0, which has none (RFC 9110,
    /// section 15.2).
    func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders)

    /// Writes the head; framing fields and `Connection` are set here.
    ///
    /// A second head aborts the response: a client must not take two for one. After the end it does nothing.
    ///
    /// - Parameters:
    ///   - status: The status line's code and reason.
    ///   - headers: End-to-end fields, with `Content-Length` if `body` is `length`.
    ///   - body: How the body is delimited; `none` for every response to HEAD.
    func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength)

    /// Writes body bytes; at most `room` of them, unless a single record is larger.
    func write(_ bytes: UnsafeRawBufferPointer)

    /// Writes body bytes that many responses have in common; as ``write(_:)``.
    ///
    /// Over HTTP/1.1 without TLS, a client that takes everything is sent the chunk itself.
    func write(_ chunk: WholeChunk)

    /// The response is complete.
    ///
    /// - Parameter trailers: Fields after the last chunk; dropped if ``canSendTrailers`` is `false`.
    func end(trailers: HTTPHeaders)

    /// The response is incomplete, which the client must notice (RFC 9112, section 8); what was written is sent first.
    func breakOff()

    /// The response ends at once: what was written and not taken, here or in the kernel, is not sent.
    func abort()
}

/// A response whose client's connection is on the loop that writes it.
package protocol ConnectionResponse: ClientResponse {
    /// Whether the connection is open.
    var isConnected: Bool { get }

    /// Ends the turn of the loop: what was written is sent, to all of its clients.
    func turnEnded()
}

extension ClientResponse {
    package func write(_ chunk: WholeChunk) { chunk.withBytes { write($0) } }

    /// The response is complete, without trailers.
    package func end() { end(trailers: [:]) }

    /// Writes a whole response whose body is a short text; `Content-Length` is set here.
    ///
    /// A 204 has neither (RFC 9110, sections 8.6 and 15.3.5).
    package func respond(_ status: HTTPResponseStatus, headers: HTTPHeaders, text: String) {
        guard status != .noContent else {
            writeHead(status, headers: headers, body: .none)
            return end()
        }
        var (headers, text) = (headers, text)
        headers.add(name: "Content-Length", value: String(text.utf8.count))
        writeHead(status, headers: headers, body: .length)
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
        end()
    }
}
