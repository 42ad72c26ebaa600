/// The reason for which a request was refused or a stream ended badly, as it is sent to the client (RFC 9457).
///
/// It contains at most one plain word of the request, so that it can neither be used for injection nor reveal the
/// network after the proxy.
package struct Problem: Error, Equatable, Sendable {
    /// The kinds of problem; the raw value is the last segment of `type`, and the label of the metrics.
    package enum Kind: String, Sendable, CaseIterable {
        case rateLimit = "rate-limit"
        case tooManyStreams = "too-many-streams"
        case slowConsumer = "slow-consumer"
        case unavailable
        case badUpstream = "bad-upstream"
        case upstreamTimeout = "upstream-timeout"
        case invalidRequest = "invalid-request"
        case requestTimeout = "request-timeout"
        /// Only on the admin listener.
        case unauthorized
        /// Only on the admin listener.
        case forbidden
        case notFound = "not-found"
        case gone
        case tooLarge = "too-large"
        case notImplemented = "not-implemented"
        /// The request has passed through this proxy before.
        case loopDetected = "loop-detected"
        /// Only in a notice within a stream.
        case recordsDropped = "records-dropped"

        /// Whether a request to a route can be refused with it.
        package var isOfRoutes: Bool { ![.recordsDropped, .unauthorized, .forbidden].contains(self) }

        /// The same for every problem of the kind (RFC 9457, section 3.1.3).
        package var title: String {
            switch self {
            case .rateLimit: "Rate Limit Exceeded"
            case .tooManyStreams: "Too Many Streams"
            case .slowConsumer: "Slow Consumer"
            case .unavailable: "Service Unavailable"
            case .badUpstream: "Bad Upstream"
            case .upstreamTimeout: "Upstream Timeout"
            case .invalidRequest: "Invalid Request"
            case .requestTimeout: "Request Timeout"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .gone: "Gone"
            case .tooLarge: "Too Large"
            case .notImplemented: "Not Implemented"
            case .loopDetected: "Loop Detected"
            case .recordsDropped: "Records Dropped"
            }
        }
    }

    package let kind: Kind
    package let status: Int
    /// The fault, in one sentence.
    package let detail: String
    /// The `Retry-After` of the response: whole seconds, at least 1.
    ///
    /// Every 429 and 503 has it. With another status it is only in notices: the notice of a stream that ends badly
    /// contains the time to retry, whatever the status would have been.
    package let retryAfter: Int?
    /// The upstream's failure, for `Proxy-Status`; not in the JSON.
    package var cause: UpstreamCause?
    /// The state of the breaker that refused the request: open or half-open.
    package var breaker: CircuitBreaker.State?
    /// Dropped records, in a notice.
    package var records: Int?
    /// The first record from which the stream can still be resumed.
    package var from: Int?
    /// The allowed methods: the `Allow` that every 405 has (RFC 9110, section 15.5.6); not in the JSON.
    package var allowed: String?
    /// The stream's id, if it had one.
    package var instance: String?
    /// The trace id that the client sent, as in the access log (W3C Trace Context).
    package var traceId: String?

    /// The last segment of `type`.
    package var typeSuffix: String { kind.rawValue }
    package var title: String { kind.title }

    package init(_ kind: Kind, status: Int, detail: String, retryAfter: Duration? = nil) {
        precondition(retryAfter != nil || (status != 429 && status != 503), "429 and 503 have a Retry-After")
        self.kind = kind
        self.status = status
        self.detail = detail
        self.retryAfter = retryAfter?.retryAfterSeconds
    }

    /// The problem as a JSON object.
    ///
    /// `type`, `title`, `status`, `detail`, `retryAfter`, `breaker`, `records`, `from`, `instance`, `traceId`, in this
    /// order.
    ///
    /// - Parameter base: The beginning of `type`, with or without a slash at the end.
    /// - Returns: One line without a newline; absent members are omitted.
    package func json(base: String) -> String {
        var json = JSONText()
        json.add("type", base.utf8.last == UInt8(ascii: "/") ? base + typeSuffix : "\(base)/\(typeSuffix)")
        json.add("title", title)
        json.add("status", status)
        json.add("detail", detail)
        if let retryAfter { json.add("retryAfter", retryAfter) }
        if let breaker { json.add("breaker", breaker.rawValue) }
        if let records { json.add("records", records) }
        if let from { json.add("from", from) }
        if let instance { json.add("instance", instance) }
        if let traceId { json.add("traceId", traceId) }
        return String(decoding: json.closed(), as: UTF8.self)
    }
}
