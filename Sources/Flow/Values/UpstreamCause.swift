/// Why an upstream did not provide a complete response in time; the raw value is in the logs and the metrics.
package enum UpstreamCause: String, Sendable, CaseIterable {
    /// The name has no address.
    case unresolved
    case connectionRefused = "connection_refused"
    /// No connection for another reason, such as a missing route or a missing socket file.
    case unreachable
    case connectTimeout = "connect_timeout"
    case tlsHandshake = "tls_handshake"
    /// The certificate is not trusted.
    case tlsCertificate = "tls_certificate"
    /// The connection was reset before the response was complete.
    case reset
    /// The connection was closed before the response was complete.
    case truncated
    /// A kept connection was closed before the response; see ``UpstreamVerdict/Facts/wasClosedWhileIdle``.
    case closedWhileIdle = "closed_while_idle"
    case malformed
    case recordTooLarge = "record_too_large"
    /// A timeout of the route after the connection was made.
    case timeout

    /// The error type in `Proxy-Status` (RFC 9209, section 2.3).
    var proxyError: String {
        switch self {
        case .unresolved: "dns_error"
        case .connectionRefused: "connection_refused"
        case .unreachable: "destination_ip_unroutable"
        case .connectTimeout: "connection_timeout"
        case .tlsHandshake: "tls_protocol_error"
        case .tlsCertificate: "tls_certificate_error"
        case .reset, .closedWhileIdle: "connection_terminated"
        case .truncated: "http_response_incomplete"
        case .malformed: "http_protocol_error"
        case .recordTooLarge: "http_response_body_size"
        case .timeout: "http_response_timeout"
        }
    }
}

/// A failure of an upstream: the cause, and a text for the operator's logs without anything that the client sent.
package struct UpstreamFailure: Equatable, Sendable {
    package let cause: UpstreamCause
    package let text: String

    package init(_ cause: UpstreamCause, _ text: String) { (self.cause, self.text) = (cause, text) }
}
