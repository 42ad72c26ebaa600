import Flow

/// Why a transfer ended without a complete response.
package enum UpstreamError: Error, Equatable, Sendable {
    /// The name has no address.
    case unresolved(String)
    /// No connection: refused, or no way there.
    case unreachable(String)
    case connectTimeout
    /// TLS was not agreed on, or the upstream's certificate is not one to trust.
    case untrusted(String)
    /// The connection was reset or closed before the response was complete.
    case brokenOff(String)
    /// A connection that was kept for this request was closed before a response to it, and the request may not be sent again.
    ///
    /// It says nothing about the upstream: each may close an idle connection at any time (RFC 9112, section 9.5).
    case closedWhileIdle
    /// What came is not an HTTP/1.1 response that may be passed on (RFC 9112).
    case malformed(String)

    /// What happened, for the operator's logs.
    package var reason: String {
        switch self {
        case .unresolved(let text), .unreachable(let text), .untrusted(let text), .brokenOff(let text),
            .malformed(let text):
            text
        case .connectTimeout: "no connection in time"
        case .closedWhileIdle: "the upstream closed a connection that was kept for the next request"
        }
    }
}

/// How a transfer ended.
package enum TransferEnd: Equatable, Sendable {
    /// The whole response arrived. Where it was delimited by the connection's close, that is all that can be known.
    case complete
    case failed(UpstreamError)
}
