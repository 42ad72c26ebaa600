import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings
import Upstream

/// How a field of the client's request is forwarded to the upstream.
private enum RequestField {
    case forwarded
    /// Not forwarded: it is a field of this connection, or weir sends its own instead.
    case dropped
    case acceptEncoding
    /// A negotiation header, addressed to weir.
    case negotiation
    case traceParent, traceState
    case maxForwards
    /// A field that is forwarded only from a trusted peer.
    case ofProxies

    init(_ name: String) {
        switch name.utf8.count {
        // The host that was parsed is sent.
        case 4 where name.isField("host"): self = .dropped
        case 9 where name.isField("forwarded"): self = .dropped
        case 10 where name.isField(TraceContext.stateHeader): self = .traceState
        case 11 where name.isField(TraceContext.parentHeader): self = .traceParent
        case 12 where name.isField(MaxForwards.field): self = .maxForwards
        // weir serialises the length that it parsed.
        case 14 where name.isField("content-length"): self = .dropped
        case 15 where name.isField("accept-encoding"): self = .acceptEncoding
        case 15 where name.isField("x-forwarded-for"): self = .dropped
        case 16 where name.isField("x-forwarded-host"): self = .dropped
        case 17 where name.isField("x-forwarded-proto"): self = .dropped
        case 19 where name.isField(StreamPreferences.rateLimitHeader): self = .negotiation
        case 20 where name.isField(StreamPreferences.bufferSizeHeader): self = .negotiation
        default:
            self =
                name.isHopByHop || name.isAmbiguousField
                ? .dropped
                : name.isSetByProxies ? .ofProxies : .forwarded
        }
    }
}

extension ProxyRoute {
    /// The request as the upstream gets it, without its header.
    ///
    /// - Parameters:
    ///   - streamRequest: What the client requests, and was granted.
    ///   - body: The body; `nil` for a request without one.
    /// - Returns: The request.
    func upstreamRequest(for streamRequest: StreamRequest, body: RequestBody?) -> UpstreamRequest {
        UpstreamRequest(
            method: streamRequest.request.head.method, target: target(for: streamRequest.request.head.uri),
            body: body.map { .init(length: streamRequest.request.bodyLength.bytes, asksFirst: $0.expectsContinue) },
            // A metered stream waits most of the time, and a small buffer must not be exceeded by what libcurl holds: for
            // these memory matters more than the speed of reading.
            readSize: streamRequest.terms.pace == .unlimited && streamRequest.terms.maximumBytes > .kibibytes(256)
                ? .kibibytes(32) : .kibibytes(16))
    }

    /// Writes the upstream's header in one pass over the client's.
    ///
    /// - Parameters:
    ///   - list: Receives the header.
    ///   - streamRequest: What the client asks for, and was granted.
    ///   - address: The upstream's address.
    ///   - forwarding: Writes the fields that report the request's path.
    func writeHeader(
        to list: inout HeaderList, of streamRequest: StreamRequest, at address: UpstreamAddress, forwarding: Forwarding
    ) {
        let request = streamRequest.request, headers = request.head.headers
        let named = request.mayHave("connection") ? headers.namedByConnection : []
        let expectsRecords = expectsRecords(request, pace: streamRequest.terms.pace)
        // RFC 9112, section 3.2: an HTTP/1.1 request must have one, but an HTTP/1.0 client may have omitted it.
        list.begin(host: host(of: request.authority, at: address))
        var isTrusted: Bool?
        var traceStates: [String] = []
        for (name, value) in headers where named.isEmpty || !named.contains(name.lowercased()) {
            if let requestFields, requestFields.drops(name) { continue }
            switch RequestField(name) {
            case .dropped: continue
            case .acceptEncoding where expectsRecords: continue
            case .negotiation where !settings.forwardStreamHeaders: continue
            case .ofProxies:
                let trusted = isTrusted ?? forwarding.clients.isTrusted(request.peerAddress)
                isTrusted = trusted
                if trusted { list.add(name, value) }
            case .maxForwards where streamRequest.maxForwards != .unlimited: continue
            case .traceParent where request.trace != nil: continue
            case .traceState where request.trace != nil: traceStates.append(value)
            case .forwarded, .acceptEncoding, .negotiation, .traceParent, .traceState, .maxForwards:
                list.add(name, value)
            }
        }
        for field in requestFields?.fields ?? [] { list.add(field.name, field.value) }
        forwarding.addFields(of: request, client: streamRequest.client, to: &list)
        // weir's span is the parent of the upstream's, and `tracestate` is forwarded with a trace that was continued.
        if let trace = request.trace {
            list.add(own: "traceparent") { list in trace.withTraceparent { list.append($0) } }
            if !trace.isOwn, let state = TraceContext.state(joining: traceStates) {
                list.add(TraceContext.stateHeader, state)
            }
        }
        if request.acceptsTrailers {
            // RFC 9110, section 10.1.4: it applies to the next hop only.
            list.add(own: "te", "trailers")
            list.add(own: "connection", "TE")
        }
        if case .remaining(let count) = streamRequest.maxForwards { list.add(MaxForwards.field, String(count)) }
        writeFraming(to: &list, of: request)
        // Records cannot be distinguished in a compressed body.
        if expectsRecords { list.add(own: "accept-encoding", "identity") }
    }

    /// The value of `Host` for an upstream.
    ///
    /// - Parameters:
    ///   - authority: That of the request; `nil` if it has none.
    ///   - address: The upstream's.
    /// - Returns: The value.
    func host(of authority: String?, at address: UpstreamAddress) -> String {
        switch settings.host {
        case .preserve: authority ?? address.authority
        case .upstream: address.authority
        case .literal(let host): host
        }
    }

    /// The fields that frame the body; for a body that follows, libcurl writes the length or the coding.
    private func writeFraming(to list: inout HeaderList, of request: Request) {
        switch request.bodyLength {
        case .none where MethodSemantics.anticipatesContent(request.head.method.rawValue), .length(0):
            list.add(own: "Content-Length", "0")
        case .none, .length: break
        case .chunked:
            let names = trailerRules.announced(by: request.head.headers)
            if !names.isEmpty { list.add(own: "Trailer", names.joined(separator: ", ")) }
        }
    }

    /// Whether a stream is expected: by the route's framing, or, under `framing: auto`, by the terms or the request.
    private func expectsRecords(_ request: Request, pace: Pace) -> Bool {
        switch settings.framing {
        case .ndjson, .sse, .jsonSequence: true
        case .none: false
        case .auto:
            pace != .unlimited || !request.values(of: StreamPreferences.bufferSizeHeader).isEmpty
                || request.head.headers.hasMember(of: "accept") { settings.types.format(ofContentType: $0) != nil }
        }
    }

    /// The path of a request for the upstream, without its query.
    func path(for request: Request) -> String { target(for: String(request.path)) }

    /// The request target for the upstream: without the route's prefix under `strip_prefix`.
    func target(for uri: String) -> String {
        guard settings.stripPrefix, settings.match.path != "/", uri.hasPrefix(settings.match.path) else { return uri }
        let rest = uri.dropFirst(settings.match.path.count)
        return rest.first == "/" ? String(rest) : "/" + rest
    }
}
