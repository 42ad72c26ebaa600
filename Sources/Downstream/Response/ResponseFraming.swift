import NIOHTTP1

/// How one response of HTTP/1.1 is delimited, and whether its connection continues after it (RFC 9112, sections 6 and 9.3).
struct ResponseFraming {
    /// How the client finds the end of the body.
    enum Delimiter: Equatable {
        /// By the head: there is no body, or `Content-Length` gives its length.
        case head
        case chunks
        /// By the end of the connection: HTTP/1.0 has no chunks.
        case close
    }

    /// The client's.
    let version: HTTPVersion
    private let isHead: Bool
    private let acceptsTrailers: Bool
    private var keepsAlive: Bool
    /// `nil` before the head.
    private var delimiter: Delimiter?

    /// - Parameters:
    ///   - request: The request that is answered.
    ///   - keepsAlive: Whether its client keeps the connection open.
    init(for request: borrowing Request, keepsAlive: Bool) {
        self.init(
            version: request.head.version, isHead: request.isHead,
            acceptsTrailers: request.acceptsTrailers, keepsAlive: keepsAlive)
    }

    init(version: HTTPVersion, isHead: Bool, acceptsTrailers: Bool, keepsAlive: Bool) {
        (self.version, self.isHead, self.keepsAlive) = (version, isHead, keepsAlive)
        self.acceptsTrailers = acceptsTrailers && version != .http1_0 && !isHead
    }

    /// Of the answer to something that is no request.
    static var ofFault: ResponseFraming {
        ResponseFraming(version: .http1_1, isHead: false, acceptsTrailers: false, keepsAlive: false)
    }

    /// Whether the client's version has informational heads (RFC 9110, section 15.2).
    var hasInterimHeads: Bool { version != .http1_0 }

    /// Whether body bytes are sent.
    var sendsBody: Bool { !isHead }

    var isChunked: Bool { delimiter == .chunks }

    /// Whether the client finds the end of the body by the end of the connection.
    var endsByClose: Bool { delimiter == .close }

    /// Whether trailers reach the client; before the head, whether they would with a body of unknown length.
    var canSendTrailers: Bool { acceptsTrailers && (delimiter == nil || isChunked) }

    /// What the head says of the connection.
    var connectionOption: StaticString? {
        if !keepsAlive { return "close" }
        return version == .http1_0 ? "keep-alive" : nil
    }

    /// The connection closes after the response; to be called before the head.
    mutating func closeAfterwards() { keepsAlive = false }

    /// The head is written.
    ///
    /// - Parameters:
    ///   - body: How the length of the body is known.
    ///   - mayKeepAlive: Whether the connection may continue after the response.
    mutating func begin(_ body: ResponseBodyLength, mayKeepAlive: Bool) {
        if body != .unknown || isHead {
            delimiter = .head
        } else {
            delimiter = version == .http1_0 ? .close : .chunks
        }
        if !mayKeepAlive || delimiter == .close { keepsAlive = false }
    }

    /// What follows the response if it is complete.
    var end: ResponseEnd { keepsAlive ? .continues : .closes }

    /// What follows it if it is not (RFC 9112, section 8): a close, after which the missing part must be noticeable.
    var endIfTruncated: ResponseEnd { endsByClose ? .cuts : .closes }
}

/// What follows a response of HTTP/1.1 on its connection.
enum ResponseEnd: Equatable {
    /// Another request may follow.
    case continues
    /// The connection closes.
    case closes
    /// The connection closes, and only that shows the client that the response is incomplete.
    case cuts
}
