package import Flow

/// The facts that are known when a request was read.
package struct StreamFacts: Equatable, Sendable {
    /// Every request has one; it is sent in `X-Stream-Id`, or in the `instance` of a problem.
    package var id: StreamId?
    /// The client's address; never the value of a header, which may be a secret.
    package var client: String
    /// The route's name in the configuration; `nil` if none matched.
    package var route: String?
    /// The name of the client's tier on the route; `nil` if it has none.
    package var tier: String?
    package var method: String
    package var path: String
    /// As in the request line: `HTTP/1.1`.
    package var httpVersion: String
    package var referer: String?
    package var userAgent: String?
    package var traceId: String?

    package init(
        id: StreamId? = nil, client: String, route: String? = nil, method: String, path: String,
        httpVersion: String = "HTTP/1.1", referer: String? = nil, userAgent: String? = nil, traceId: String? = nil
    ) {
        self.id = id
        self.client = client
        self.route = route
        self.method = method
        self.path = path
        self.httpVersion = httpVersion
        self.referer = referer
        self.userAgent = userAgent
        self.traceId = traceId
    }
}
