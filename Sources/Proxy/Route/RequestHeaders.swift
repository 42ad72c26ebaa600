import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings
import Upstream

/// What becomes of a field of the client's request on its way to the upstream.
private enum RequestField {
    case forwarded
    /// It ends here: it is of this connection, or weir tells its own in its place.
    case dropped
    case host
    case acceptEncoding
    /// What the client asks of weir for its stream.
    case negotiation
    case traceParent, traceState
    case maxForwards
    /// A claim that only a trusted peer may make.
    case ofProxies

    init(_ name: String) {
        switch name.utf8.count {
        case 4 where name.isField("host"): self = .host
        case 9 where name.isField("forwarded"): self = .dropped
        case 10 where name.isField(TraceContext.stateHeader): self = .traceState
        case 11 where name.isField(TraceContext.parentHeader): self = .traceParent
        case 12 where name.isField(MaxForwards.field): self = .maxForwards
        // weir writes the length as it understood it.
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
    /// The request as the upstream gets it, but for its header.
    ///
    /// - Parameters:
    ///   - streamRequest: What the client requests, and was granted.
    ///   - body: What follows the header; `nil` for a request without a body.
    /// - Returns: The request.
    func upstreamRequest(for streamRequest: StreamRequest, body: RequestBody?) -> UpstreamRequest {
        UpstreamRequest(
            method: streamRequest.request.head.method, target: target(for: streamRequest.request.head.uri),
            body: body.map { .init(length: streamRequest.request.bodyLength.bytes, asksFirst: $0.expectsContinue) },
            // A metered stream waits most of the time, and one with a small buffer must not hold more beside it: what it
            // holds counts, not how fast it is read.
            readSize: streamRequest.terms.pace == .unlimited && streamRequest.terms.maximumBytes > .kibibytes(256)
                ? .kibibytes(32) : .kibibytes(16))
    }

    /// Writes the header as the upstream gets it, in one pass over the client's.
    ///
    /// - Parameters:
    ///   - list: Where to.
    ///   - streamRequest: What the client asks for, and was granted.
    ///   - address: Which upstream that is.
    ///   - forwarding: What is told of the way that it came.
    func writeHeader(
        to list: inout HeaderList, of streamRequest: StreamRequest, at address: UpstreamAddress, forwarding: Forwarding
    ) {
        let request = streamRequest.request, headers = request.head.headers
        let named = headers.namedByConnection
        let expectsRecords = expectsRecords(headers, pace: streamRequest.terms.pace)
        var host: String?
        var isTrusted: Bool?
        var traceStates: [String] = []
        for (name, value) in headers where named.isEmpty || !named.contains(name.lowercased()) {
            switch RequestField(name) {
            case .dropped: continue
            case .host: host = value
            case .acceptEncoding where expectsRecords: continue
            case .negotiation where !settings.forwardStreamHeaders: continue
            case .ofProxies:
                let trusted = isTrusted ?? forwarding.clients.isTrusted(request.peer)
                isTrusted = trusted
                if trusted { list.add(name, value) }
            case .maxForwards where streamRequest.maxForwards != .unlimited: continue
            case .traceParent where request.trace != nil: continue
            case .traceState where request.trace != nil: traceStates.append(value)
            case .forwarded, .acceptEncoding, .negotiation, .traceParent, .traceState, .maxForwards:
                list.add(name, value)
            }
        }
        switch settings.host {
        // RFC 9112, section 3.2: an HTTP/1.1 request must have one, an HTTP/1.0 client may not have sent it.
        case .preserve: list.add("Host", host ?? address.authority)
        case .upstream: list.add("Host", address.authority)
        case .literal(let host): list.add("Host", host)
        }
        forwarding.tell(of: request, client: streamRequest.client, in: &list)
        // Weir's span is the next one's parent, and what vendors have noted of a trace that was joined goes with it.
        if let trace = request.trace {
            list.add(TraceContext.parentHeader, trace.traceparent)
            if !trace.isOwn, let state = TraceContext.state(joining: traceStates) {
                list.add(TraceContext.stateHeader, state)
            }
        }
        if request.acceptsTrailers {
            // RFC 9110, section 10.1.4: it is said to the next hop alone.
            list.add("te", "trailers")
            list.add("connection", "TE")
        }
        if case .remaining(let count) = streamRequest.maxForwards { list.add(MaxForwards.field, String(count)) }
        writeFraming(to: &list, of: request)
        // Records cannot be told apart in a compressed body.
        if expectsRecords { list.add("accept-encoding", "identity") }
    }

    /// What the upstream has to know about the body; of one that follows, libcurl writes the length or the coding.
    private func writeFraming(to list: inout HeaderList, of request: Request) {
        switch request.bodyLength {
        case .none where MethodSemantics.anticipatesContent(request.head.method.rawValue), .length(0):
            list.add("Content-Length", "0")
        case .none, .length: break
        case .chunked:
            let names = request.head.headers.announcedTrailers
            if !names.isEmpty { list.add("Trailer", names.joined(separator: ", ")) }
        }
    }

    /// Whether the answer should be a stream: the route says so, or, where that is left to the answer, the terms or the
    /// request do.
    private func expectsRecords(_ headers: HTTPHeaders, pace: Pace) -> Bool {
        switch settings.framing {
        case .ndjson, .sse, .jsonSequence: true
        case .none: false
        case .auto:
            pace != .unlimited || headers.contains(name: StreamPreferences.bufferSizeHeader)
                || headers.listed(in: "accept").contains { settings.types.format(ofContentType: $0) != nil }
        }
    }

    /// The request target for the upstream: without the route's prefix where the route says so.
    private func target(for uri: String) -> String {
        guard settings.stripPrefix, settings.match.path != "/", uri.hasPrefix(settings.match.path) else { return uri }
        let rest = uri.dropFirst(settings.match.path.count)
        return rest.first == "/" ? String(rest) : "/" + rest
    }
}
