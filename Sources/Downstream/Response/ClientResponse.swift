package import Flow
package import NIOHTTP1

/// One response to a client: a head once, body bytes as long as there is room, an end once.
///
/// A ``ConnectionResponse`` if the client's connection lives on the same loop, a ``RelayedResponse`` if not. Once the connection
/// is gone every call does nothing.
package protocol ClientResponse: AnyObject {
    /// Until the last call to it; it owns the response.
    var delegate: (any ResponseWriterDelegate)? { get set }

    var hasHead: Bool { get }
    var hasEnded: Bool { get }

    /// Body bytes that may be written now; 0 while the client has not taken what it was given.
    var room: Int { get }

    /// Whether trailers reach the client: it asked for them, and the body is chunked.
    ///
    /// Asked before the head, it tells how it would be with a body of unknown length. Who sends trailers names them in the
    /// head's `Trailer` (RFC 9110, section 6.6.2).
    var canSendTrailers: Bool { get }

    /// Bytes of this response, head and framing included, that the client's kernel has acknowledged; never falls.
    ///
    /// Moves as the client reads, also while there is no room, and stands when it does not: tells a slow client from one
    /// that has stopped. One system call. Of a unix socket, whose queue the kernel counts with its own overhead, only the
    /// differences between two looks at a client that is held up mean something.
    var bytesTaken: ByteCount { get }

    /// Body bytes that were written and that the client's socket, or over HTTP/2 its window, has not taken; no system call.
    ///
    /// 0 for a client that keeps up. What is collected for the turn's write is not among them.
    var pendingBytes: ByteCount { get }

    /// The connection closes behind this response; to be said before the head.
    func closeAfterwards()

    /// Says whether the records that follow leave at a pace, so that a client that does not read is noticed soon.
    func expectPace(_ isMetered: Bool)

    /// Writes an informational head (1xx) in front of the head; dropped where the client speaks HTTP/1.0, which has none
    /// (RFC 9110, section 15.2).
    func writeInterim(_ status: HTTPResponseStatus, headers: HTTPHeaders)

    /// Writes the head; framing fields and `Connection` are set here.
    ///
    /// A second head aborts the response, so that a client never takes two for one. After the end it does nothing.
    ///
    /// - Parameters:
    ///   - status: The status line's code and reason.
    ///   - headers: End-to-end fields, `Content-Length` among them where `body` says `length`.
    ///   - body: How the body is delimited; `none` for every answer to HEAD.
    func writeHead(_ status: HTTPResponseStatus, headers: HTTPHeaders, body: ResponseBodyLength)

    /// Writes body bytes; at most `room` of them, unless a single record is larger.
    func write(_ bytes: UnsafeRawBufferPointer)

    /// The response is complete.
    ///
    /// - Parameter trailers: Fields behind the last chunk; dropped where `canSendTrailers` says no.
    func end(trailers: HTTPHeaders)

    /// The response breaks off: what was written goes out, then the connection closes without an end (RFC 9112,
    /// section 8: a truncated message must look truncated).
    func breakOff()

    /// Resets the connection at once: what is still held, here or in the kernel, is not sent.
    func abort()
}

/// A response whose client's connection is on the loop that writes it.
package protocol ConnectionResponse: ClientResponse {
    /// Whether the connection still lives.
    var isConnected: Bool { get }

    /// Ends the turn of the loop: what was written is sent, to all of its clients.
    func turnEnded()
}

extension ClientResponse {
    /// The response is complete, without trailers.
    package func end() { end(trailers: [:]) }

    /// Writes a whole response whose body is a short text; `Content-Length` is set here.
    package func respond(_ status: HTTPResponseStatus, headers: HTTPHeaders, text: String) {
        var (headers, text) = (headers, text)
        headers.add(name: "Content-Length", value: String(text.utf8.count))
        writeHead(status, headers: headers, body: .length)
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
        end()
    }
}
