import Downstream
import Flow
import NIOHTTP1
import Settings
import Upstream

/// Fields of one connection, which are not passed on, beside those that `Connection` names (RFC 9110, section 7.6.1).
///
/// `TE` and `Trailer` are told anew where trailers can follow.
private let hopByHop: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "expect",
]

/// Most names differ from all of these in length already, which is the cheaper look.
private func isHopByHop(_ name: String) -> Bool {
    switch name.utf8.count {
    case 2, 6, 7, 10, 16, 17, 19: hopByHop.contains(name.lowercased())
    default: false
    }
}

extension HTTPHeaders {
    /// Without the fields that belong to the connection they came over.
    func withoutHopByHop() -> HTTPHeaders {
        // Not what the message needs to be read and routed: a length that `Connection` took away would leave a client
        // waiting for an end that does not come.
        let named = listed(in: "connection").map { $0.lowercased() }
            .filter { $0 != "content-length" && $0 != "host" }
        var kept = HTTPHeaders()
        kept.reserveCapacity(count + 8)
        for (name, value) in self {
            guard !isHopByHop(name), named.isEmpty || !named.contains(where: { $0 == name.lowercased() }) else {
                continue
            }
            kept.add(name: name, value: value)
        }
        return kept
    }
}

extension HTTPHeaders {
    /// The members of a list that may stand in several lines (RFC 9110, section 5.6.1).
    ///
    /// Most requests do not have the field, or one line with one member: NIO would take that apart all the same.
    func listed(in name: String) -> [Substring] {
        let lines = self[name]
        guard let line = lines.first else { return [] }
        return lines.count == 1 && !line.utf8.contains(UInt8(ascii: ",")) ? [line[...]] : self[canonicalForm: name]
    }

    /// Takes the trace on: weir's span is the next one's parent, and what vendors have noted of the trace goes with it.
    fileprivate mutating func carry(_ trace: TraceContext) {
        replaceOrAdd(name: TraceContext.parentHeader, value: trace.traceparent)
        let noted = listed(in: TraceContext.stateHeader).map(String.init)
        guard !noted.isEmpty else { return }
        remove(name: TraceContext.stateHeader)
        guard !trace.isOwn, let state = TraceContext.state(joining: noted) else { return }
        add(name: TraceContext.stateHeader, value: state)
    }
}

extension ProxyRoute {
    /// The request as the upstream gets it.
    ///
    /// - Parameters:
    ///   - request: As the client sent it.
    ///   - client: Its address.
    ///   - body: What the request has of one; `nil` for none.
    ///   - address: Which upstream that is.
    ///   - pace: What was granted.
    ///   - forwarding: What is told of the way that it came.
    /// - Returns: The request.
    func upstreamRequest(
        for request: Request, client: String, body: RequestBody? = nil, to address: UpstreamAddress, pace: Pace,
        forwarding: Forwarding
    ) -> UpstreamRequest {
        let head = request.head
        var headers = head.headers.withoutHopByHop()
        forwarding.tell(of: request, client: client, in: &headers)
        switch settings.host {
        case .preserve:
            // RFC 9112, section 3.2: an HTTP/1.1 request must have one, an HTTP/1.0 client may not have sent it.
            if !headers.contains(name: "host") { headers.add(name: "host", value: address.authority) }
        case .upstream: headers.replaceOrAdd(name: "host", value: address.authority)
        case .literal(let host): headers.replaceOrAdd(name: "host", value: host)
        }
        if !settings.forwardStreamHeaders {
            headers.remove(name: Ask.bufferSizeHeader)
            headers.remove(name: Ask.rateLimitHeader)
        }
        if let trace = request.trace { headers.carry(trace) }
        if request.acceptsTrailers {
            // RFC 9110, section 10.1.4: it is said to the next hop alone.
            headers.add(name: "te", value: "trailers")
            headers.add(name: "connection", value: "TE")
        }
        if let body, body.declaredLength == nil {
            for names in head.headers["trailer"] { headers.add(name: "trailer", value: names) }
        }
        // Records cannot be told apart in a compressed body.
        if expectsRecords(head.headers, pace: pace) {
            headers.replaceOrAdd(name: "accept-encoding", value: "identity")
        }
        return UpstreamRequest(
            method: head.method, target: target(for: head.uri), headers: headers,
            body: body.map { .init(length: $0.declaredLength, asksFirst: $0.expectsContinue) },
            // A metered stream waits most of the time: what it holds counts, not how fast it is read.
            readSize: pace == .unlimited ? .kibibytes(32) : .kibibytes(16))
    }

    /// Whether the answer should be a stream: the route says so, or, where that is left to the answer, the terms or the
    /// request do.
    private func expectsRecords(_ headers: HTTPHeaders, pace: Pace) -> Bool {
        switch settings.framing {
        case .ndjson, .sse, .jsonSequence: true
        case .none: false
        case .auto:
            pace != .unlimited || headers.contains(name: Ask.bufferSizeHeader)
                || headers.listed(in: "accept").contains { RecordFormat(contentType: $0) != nil }
        }
    }

    /// The request target for the upstream: without the route's prefix where the route says so.
    private func target(for uri: String) -> String {
        guard settings.stripPrefix, settings.match.path != "/", uri.hasPrefix(settings.match.path) else { return uri }
        let rest = uri.dropFirst(settings.match.path.count)
        return rest.first == "/" ? String(rest) : "/" + rest
    }
}

/// Adds what weir says of a stream to the head that the upstream sent.
///
/// - Parameters:
///   - headers: End-to-end fields of the upstream's response.
///   - terms: What was granted.
///   - id: The stream's id.
///   - starts: How often the client may start a stream on this route; `nil` where that is not limited.
///   - quota: What the client has left of its starts; `nil` likewise.
///   - totalItemsHeader: The field in which this route's upstream tells the number of records.
func addStreamFields(
    to headers: inout HTTPHeaders, terms: Terms, id: StreamId, starts: StartAllowance?, quota: StartQuota?,
    totalItemsHeader: String?
) {
    headers.replaceOrAdd(name: "X-Stream-Rate", value: terms.pace.text)
    headers.replaceOrAdd(name: "X-Stream-Buffer-Size", value: String(terms.buffer))
    headers.replaceOrAdd(name: "X-Stream-Id", value: id.text)
    if !headers.contains(name: "X-Stream-Total-Items"), let totalItemsHeader,
        let total = headers.first(name: totalItemsHeader), !total.isEmpty
    {
        headers.add(name: "X-Stream-Total-Items", value: total)
    }
    if let fields = RateLimitFields(terms: terms, starts: starts, quota: quota) {
        headers.replaceOrAdd(name: "RateLimit-Policy", value: fields.policy)
        headers.replaceOrAdd(name: "RateLimit", value: fields.state)
    }
    headers.replaceOrAdd(name: "X-Accel-Buffering", value: "no")
}
