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
    /// What came is not an HTTP/1.1 response that may be passed on (RFC 9112).
    case malformed(String)
}

/// How a transfer ended.
package enum TransferEnd: Equatable, Sendable {
    /// The whole response arrived. Where it was delimited by the connection's close, that is all that can be known.
    case complete
    case failed(UpstreamError)
}
