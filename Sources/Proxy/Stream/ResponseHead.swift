import Downstream
import Flow
import NIOHTTP1
import Settings
import Upstream

/// The head of a stream's response, as its client gets it; kept for a client that comes, or comes back, later.
struct ResponseHead {
    let status: HTTPResponseStatus
    /// End-to-end fields.
    var headers: HTTPHeaders
    let body: ResponseBodyLength
    /// What the upstream announces to follow the body (`Trailer`; RFC 9110, section 6.6.2).
    let trailerNames: [String]
    /// Whether weir adds `Proxy-Status` to the trailers of a stream.
    private let hasProxyStatus: Bool

    /// - Parameters:
    ///   - head: As the upstream sent it.
    ///   - request: What it answers.
    ///   - format: Of its records; `nil` if it is no stream.
    ///   - date: The value of `Date` if the upstream sent none.
    init(_ head: consuming UpstreamResponseHead, to request: StreamRequest, format: RecordFormat?, date: String) {
        let hasBody = head.hasBody(method: request.request.head.method)
        let keepsLength = head.contentLength != nil && !(format.map(request.mayChangeLength(of:)) ?? false)
        status = HTTPResponseStatus(statusCode: head.status, reasonPhrase: head.reason)
        trailerNames = head.mayHave("trailer") ? head.headers.listed(in: "trailer").map(String.init) : []
        let mayHaveDate = head.mayHave("date")
        headers = Self.fields(of: head, to: request)
        request.route.responseFields?.apply(to: &headers)
        if let fields = request.request.crossOrigin { headers.replaceGrants(with: fields) }
        // RFC 9110, section 6.6.1: a recipient with a clock adds what an upstream without one omitted.
        if !mayHaveDate || !headers.contains(name: "date") { headers.add(name: "Date", value: date) }
        if let status = request.sharing.cacheStatus { headers.add(name: "Cache-Status", value: status) }
        if hasBody, !keepsLength { headers.remove(name: "content-length") }
        body = !hasBody ? .none : keepsLength ? .length : .unknown
        hasProxyStatus = request.served.problemStyle.proxyName != nil
    }

    /// An upstream's fields as they are passed on, of an informational head as well.
    static func fields(of head: consuming UpstreamResponseHead, to request: StreamRequest) -> HTTPHeaders {
        let isNamed = head.mayHave("connection"), version = head.version
        var headers = head.headers
        // From here on nothing else owns them, and they are changed in place.
        _ = consume head
        headers.removeHopByHop(isNamed: isNamed)
        request.served.forwarding.addVia(to: &headers, version: version)
        return headers
    }

    /// Adds the fields of a stream: its terms, its id, and the client's quotas.
    mutating func describe(_ terms: Terms, id: StreamId, of request: StreamRequest, quotas: ClientQuotas) {
        addStreamFields(
            to: &headers, terms: terms, id: id, limits: request.route.describedLimits(of: request.tier),
            quotas: quotas, unit: request.route.settings.weight == nil ? "records" : "units",
            totalItemsHeader: request.route.settings.totalItemsHeader)
        guard request.preferences.wantsNotices else { return }
        headers.add(name: "Preference-Applied", value: "stream-notices")
        headers.add(name: "Vary", value: "Prefer")
    }

    /// Writes the head; the stream's own trailers are announced if it is one.
    func write(to response: any ClientResponse, isStream: Bool) {
        var headers = headers
        if sendsTrailers(to: response) {
            let own = hasProxyStatus ? ", Proxy-Status" : ""
            let names = trailerNames + (isStream ? ["X-Stream-Status, X-Stream-Items" + own] : [])
            if !names.isEmpty { headers.add(name: "Trailer", value: names.joined(separator: ", ")) }
        }
        response.writeHead(status, headers: headers, body: body)
    }

    /// Whether trailers reach the client: it requested them, and the response is chunked.
    func sendsTrailers(to response: any ClientResponse) -> Bool { body == .unknown && response.canSendTrailers }
}

extension HTTPHeaders {
    /// Replaces what an upstream grants to pages of other origins, since the route decides it.
    fileprivate mutating func replaceGrants(with fields: HTTPHeaders) {
        for name in [
            "access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers",
        ]
        where contains(name: name) {
            remove(name: name)
        }
        add(contentsOf: fields)
    }

    /// Whether a request with these fields, which names a stream, is for its records.
    ///
    /// It is if its `Accept` names a type of streams, or the type of this one. A range such as `*/*` does not count: a
    /// client that reads a stream's state must not take its records.
    func acceptRecords(ofType contentType: String?, types: StreamTypes) -> Bool {
        let type = contentType?.prefix { $0 != ";" }.lowercased()
        return listed(in: "accept").contains { range in
            let accepted = range.prefix { $0 != ";" }.lowercased()
            return types.format(ofContentType: range) != nil || accepted == type
        }
    }
}

extension StreamRequest {
    /// Whether the client may get other bytes than the upstream's: fewer, some of weir's own, or only the rest.
    ///
    /// Then the upstream's length must not be passed on: a client would take the next response for what is missing.
    func mayChangeLength(of format: RecordFormat) -> Bool {
        route.settings.overflow.drops || preferences.wantsNotices || route.settings.clientWait != nil
            || route.settings.endRecord != nil || (format.heartbeat != nil && route.settings.heartbeat != nil)
            || sharing.isShared
    }
}

extension ResponseKind {
    /// Classifies an upstream's response to a request.
    init(_ head: borrowing UpstreamResponseHead, to request: StreamRequest) {
        // The settings as a whole would be copied, for 1,300 instructions.
        let route = request.route
        self.init(
            Head(head, method: request.request.head.method), framing: route.settings.framing,
            types: route.settings.types,
            isRateGranted: request.terms.pace != .unlimited || request.sharesBudget)
    }
}

extension ResponseKind.Head {
    /// The parts of an upstream's head that decide.
    init(_ head: borrowing UpstreamResponseHead, method: HTTPMethod) {
        self.init(
            status: head.status, contentType: head.headers.first(name: "content-type"),
            codings: head.mayHave("content-encoding") ? head.headers[canonicalForm: "content-encoding"] : [],
            length: head.contentLength,
            hasBody: head.hasBody(method: method))
    }
}
