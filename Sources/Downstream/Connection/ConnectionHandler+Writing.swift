import NIOCore
import NIOHTTP1

// Heads and ends: bytes in the outbox.

extension ConnectionHandler {
    /// Writes a head, final or informational.
    ///
    /// - Parameters:
    ///   - status: Its status.
    ///   - version: The client's version of HTTP.
    ///   - headers: Its fields.
    ///   - framing: What HTTP/1.1 says of the connection; HTTP/2 has none of it.
    func writeHead(
        _ status: HTTPResponseStatus, in version: HTTPVersion, headers: HTTPHeaders,
        framing: ResponseEncoder.Framing = .init()
    ) {
        outbox.appendHead(for: wire) {
            ResponseEncoder.write(status, in: version, headers, framing: framing, to: &$0)
        }
    }

    /// Writes the end of a body.
    ///
    /// - Parameters:
    ///   - isChunked: Whether it has one, in HTTP/1.1.
    ///   - trailers: The fields after it.
    func writeEnd(isChunked: Bool, trailers: HTTPHeaders) {
        if isChunked { return outbox.end(for: wire, trailers: trailers) }
        outbox.seal()
    }
}
