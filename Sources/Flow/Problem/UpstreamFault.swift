/// The fault of the upstream's response, or of the missing response.
package enum UpstreamFault: Equatable, Sendable {
    /// The name has no address.
    case unresolved
    case refused
    case unreachable
    /// The TLS handshake failed.
    case handshake
    /// The certificate is not trusted.
    case untrusted
    /// The connection was reset before the response was complete.
    case reset
    /// The connection was closed before the response was complete.
    case truncated
    case malformed
    case recordTooLarge(limit: ByteCount)

    var cause: UpstreamCause {
        switch self {
        case .unresolved: .unresolved
        case .refused: .connectionRefused
        case .unreachable: .unreachable
        case .handshake: .tlsHandshake
        case .untrusted: .tlsCertificate
        case .reset: .reset
        case .truncated: .truncated
        case .malformed: .malformed
        case .recordTooLarge: .recordTooLarge
        }
    }

    /// Contains nothing of the network after the proxy.
    var detail: String {
        switch self {
        case .unresolved: "The upstream's name has no address"
        case .refused: "The upstream refused the connection"
        case .unreachable: "The upstream cannot be reached"
        case .handshake: "The upstream did not agree on TLS"
        case .untrusted: "No trusted connection to the upstream"
        case .reset, .truncated: "The upstream ended the connection before its answer was complete"
        case .malformed: "The upstream's answer is malformed"
        case .recordTooLarge(let limit): "The upstream sent a record of more than \(limit.bytes) bytes"
        }
    }
}
