import HTTPText

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
    /// All of these must hold; the names of fields in any case.
    package var query: [Condition] = []
    package var headers: [Condition] = []

    /// A parameter of the query, or a field, that must have exactly this value.
    package struct Condition: Equatable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) { (self.name, self.value) = (name, value) }
    }

    package init(host: String? = nil, path: String = "/", methods: [String] = []) {
        self.host = host
        self.path = path
        self.methods = methods
    }

    package var hasConditions: Bool { !query.isEmpty || !headers.isEmpty }

    /// Whether a request fulfils ``query`` and ``headers``.
    ///
    /// - Parameters:
    ///   - target: The request target. Of several parameters of one name the first counts, percent-decoded.
    ///   - lines: The values of a field, by its name; several of one name are not what the condition says.
    /// - Returns: Whether all of them hold.
    package func conditionsHold(target: String, lines: (String) -> [String]) -> Bool {
        query.allSatisfy { QueryText.value(of: $0.name, in: target) == $0.value }
            && headers.allSatisfy { lines($0.name) == [$0.value] }
    }

    /// Whether this match includes every request that `other` matches.
    package func covers(_ other: RouteMatch) -> Bool {
        let border = path.hasSuffix("/") ? path : path + "/"
        return (host == nil || host == other.host)
            && (path == other.path || other.path.hasPrefix(border))
            && query.allSatisfy(other.query.contains)
            && headers.allSatisfy { field in
                other.headers.contains { $0.name.lowercased() == field.name.lowercased() && $0.value == field.value }
            }
            && (methods.isEmpty || !other.methods.isEmpty && other.methods.allSatisfy(methods.contains))
    }
}
