package import Flow

/// Why a transfer ended without a complete response.
package enum UpstreamError: Error, Equatable, Sendable {
    /// The name has no address.
    case unresolved(String)
    case refused(String)
    /// No connection for another reason.
    case unreachable(String)
    case connectTimeout
    /// TLS was not agreed on.
    case handshake(String)
    /// The upstream's certificate is not trusted.
    case untrusted(String)
    /// The connection was reset before the response was complete.
    case reset(String)
    /// The connection was closed before the response was complete.
    case truncated(String)
    /// A connection that was kept for this request was closed before a response to it, and the request may not be sent again.
    ///
    /// It says nothing about the upstream: each may close an idle connection at any time (RFC 9112, section 9.5).
    case closedWhileIdle
    /// What came is not an HTTP/1.1 response that may be passed on (RFC 9112).
    case malformed(String)
    /// A request that several streams share was given up: the upstream did not send what was due.
    case silent(UpstreamTimeout, String)

    /// Whether the upstream did not connect, respond or continue in time.
    package var isSilence: Bool {
        switch self {
        case .connectTimeout, .silent: true
        case .unresolved, .refused, .unreachable, .handshake, .untrusted, .reset, .truncated, .closedWhileIdle,
            .malformed:
            false
        }
    }

    /// The cause and its text, for the operator's logs.
    package var failure: UpstreamFailure {
        switch self {
        case .unresolved(let text): .init(.unresolved, text)
        case .refused(let text): .init(.connectionRefused, text)
        case .unreachable(let text): .init(.unreachable, text)
        case .connectTimeout: .init(.connectTimeout, "no connection in time")
        case .handshake(let text): .init(.tlsHandshake, text)
        case .untrusted(let text): .init(.tlsCertificate, text)
        case .reset(let text): .init(.reset, text)
        case .truncated(let text): .init(.truncated, text)
        case .closedWhileIdle:
            .init(.closedWhileIdle, "the upstream closed a connection that was kept for the next request")
        case .malformed(let text): .init(.malformed, text)
        case .silent(_, let text): .init(.timeout, text)
        }
    }

    /// A transfer that could not be made: the system has no descriptors or no memory left.
    package static func unprepared(_ error: any Error) -> UpstreamError {
        .unreachable((error as? SystemError)?.description ?? "libcurl has no handle for the request")
    }
}

/// How a transfer ended.
package enum TransferEnd: Equatable, Sendable {
    /// The whole response arrived. Where it was delimited by the connection's close, that is all that can be known.
    case complete
    case failed(UpstreamError)
}
