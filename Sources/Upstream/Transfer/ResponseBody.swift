import NIOHTTP1

/// How much of a response's body is still to arrive (RFC 9112, section 6.3).
enum ResponseBody: Equatable {
    /// Its head has not arrived.
    case awaited
    /// Bytes of a body whose length is known; more than 0.
    case counted(remaining: Int)
    case chunked
    /// Until the end of the connection, or of the stream of HTTP/2.
    case untilClose
    /// All of it has arrived, or there is none: further bytes do not belong to the response.
    case complete

    init(after head: borrowing UpstreamResponseHead, method: HTTPMethod) {
        if !head.hasBody(method: method) {
            self = .complete
        } else if head.isChunked {
            self = .chunked
        } else if let length = head.contentLength {
            self = .counted(remaining: length)
        } else {
            self = .untilClose
        }
    }
}
