import HTTPText

/// Which requests a route serves.
package struct RouteMatch: Equatable, Sendable {
    /// A name or an address without port and brackets, in any case; `nil` is every host.
    package var host: String?
    /// The prefix that the request's path begins with, up to the end of a segment; `/` is every path.
    ///
    /// `/v1/orders` matches itself, `/v1/orders/` and `/v1/orders/7`, not `/v1/orders2`. `/v1/orders/` matches only
    /// what is below it.
    package var path: String
    /// Case-sensitive (RFC 9110, section 9.1); none is every method.
    package var methods: [String]

    package init(host: String? = nil, path: String = "/", methods: [String] = []) {
        self.host = host
        self.path = path
        self.methods = methods
    }
}

/// Finds a request's route: the first in the configuration's order that matches.
///
/// - Complexity: O(routes), without allocation: it runs for each request.
package struct RouteTable: Sendable {
    private let matches: [Match]

    package init(matches: [RouteMatch]) { self.matches = matches.map(Match.init) }

    /// Finds the route of a request.
    ///
    /// The path is compared byte by byte, as it was sent: neither percent-encoding nor dot segments are resolved, since
    /// the upstream would get them unresolved as well.
    ///
    /// - Parameters:
    ///   - host: Without port and brackets, possibly with the dot of a fully qualified name; `nil` if the request has none, as in
    ///     HTTP/1.0.
    ///   - path: Without the query. `*`, the target of `OPTIONS *`, matches `/`.
    ///   - method: As it was sent.
    /// - Returns: The index of the first route that matches, or `nil`.
    package func match(host: Substring?, path: Substring, method: String) -> Int? {
        // RFC 1034, section 3.1: with the dot at its end it is the same name.
        let host = host.map { $0.utf8.last == UInt8(ascii: ".") ? $0.dropLast() : $0 }
        return matches.firstIndex { $0.accepts(host: host, path: path, method: method) }
    }

    /// A ``RouteMatch`` in the form that is quick to compare.
    private struct Match {
        /// In lower case.
        private let host: [UInt8]?
        /// Empty for every path.
        private let path: [UInt8]
        private let methods: [String]

        init(_ match: RouteMatch) {
            host = match.host.map { $0.utf8.map(\.lowercasedASCII) }
            path = match.path == "/" ? [] : Array(match.path.utf8)
            methods = match.methods
        }

        func accepts(host: Substring?, path: Substring, method: String) -> Bool {
            begins(path) && (methods.isEmpty || methods.contains(method)) && isServed(host)
        }

        private func begins(_ requested: Substring) -> Bool {
            guard !path.isEmpty else { return true }
            let utf8 = requested.utf8
            guard utf8.starts(with: path) else { return false }
            let end = utf8.index(utf8.startIndex, offsetBy: path.count)
            return end == utf8.endIndex || utf8[end] == UInt8(ascii: "/") || path.last == UInt8(ascii: "/")
        }

        private func isServed(_ requested: Substring?) -> Bool {
            guard let host else { return true }
            guard let requested else { return false }
            return requested.utf8.elementsEqual(host, by: { $0.lowercasedASCII == $1 })
        }
    }
}
