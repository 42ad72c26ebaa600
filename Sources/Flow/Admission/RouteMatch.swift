/// The requests that a route serves.
package struct RouteMatch: Equatable, Sendable {
    /// A name or an address without port and brackets, in any case; `nil` matches every host.
    package var host: String?
    /// A prefix of the request's path that ends at the end of a segment; `/` matches every path.
    ///
    /// `/v1/orders` matches itself, `/v1/orders/` and `/v1/orders/7`, not `/v1/orders2`. `/v1/orders/` matches only
    /// paths below it.
    package var path: String
    /// Case-sensitive (RFC 9110, section 9.1); empty matches every method.
    package var methods: [String]

    package init(host: String? = nil, path: String = "/", methods: [String] = []) {
        self.host = host
        self.path = path
        self.methods = methods
    }

    /// Whether this match includes every request that `other` matches.
    package func covers(_ other: RouteMatch) -> Bool {
        let border = path.hasSuffix("/") ? path : path + "/"
        return (host == nil || host == other.host)
            && (path == other.path || other.path.hasPrefix(border))
            && (methods.isEmpty || !other.methods.isEmpty && other.methods.allSatisfy(methods.contains))
    }
}
