extension Problem {
    /// This problem as a member of `Proxy-Status` (RFC 9209, section 2.1).
    ///
    /// - Parameter name: The proxy's name, a token (RFC 9651, section 3.3.4).
    /// - Returns: The name, the error type, and ``detail``, which contains nothing of the network after the proxy.
    package func proxyStatus(by name: String) -> String {
        let details = detail.filter { $0.isASCII && $0 != "\"" && $0 != "\\" }
        return "\(name); error=\(proxyError); details=\"\(details)\""
    }

    private var proxyError: String {
        if let cause { return cause.proxyError }
        switch kind {
        case .rateLimit, .slowConsumer, .unauthorized, .forbidden: return "http_request_denied"
        // RFC 10036, section 4.2: for messages that are forwarded as they arrive, a limit on concurrent requests.
        case .tooManyStreams: return "connection_limit_reached"
        case .unavailable: return "destination_unavailable"
        case .badUpstream: return "http_protocol_error"
        case .upstreamTimeout: return "http_response_timeout"
        case .loopDetected: return "proxy_loop_detected"
        case .notFound: return "destination_not_found"
        case .gone, .invalidRequest, .requestTimeout, .tooLarge, .notImplemented: return "http_request_error"
        case .recordsDropped: return "proxy_internal_response"
        }
    }
}
