import HTTPText

/// Finds a request's route: the first that matches, in the order of the configuration.
///
/// - Complexity: O(routes), without allocation, because it is called for each request.
package struct RouteTable: Sendable {
    private let matches: [Match]

    package init(matches: [RouteMatch]) { self.matches = matches.map(Match.init) }

    /// Finds the route of a request.
    ///
    /// The path is compared byte by byte, as received: neither percent-encoding nor dot segments are resolved, because
    /// the upstream gets them unresolved as well.
    ///
    /// - Parameters:
    ///   - host: Without port and brackets, possibly with the dot of a fully qualified name; `nil` if the request has none, as in
    ///     HTTP/1.0.
    ///   - path: Without the query. `*`, the target of `OPTIONS *`, matches `/`.
    ///   - method: As received.
    ///   - holds: Whether the other conditions of the match with this index hold; asked only if it has any.
    /// - Returns: The index of the first route that matches, or `nil`.
    package func match(
        host: Substring?, path: Substring, method: String, conditions holds: (Int) -> Bool = { _ in true }
    ) -> Int? {
        // RFC 1034, section 3.1: with the dot at its end it is the same name.
        let host = host.map { $0.utf8.last == UInt8(ascii: ".") ? $0.dropLast() : $0 }
        return matches.indices.first { index in
            matches[index].accepts(host: host, path: path, method: method)
                && (!matches[index].hasConditions || holds(index))
        }
    }

    /// A ``RouteMatch`` in a form that is fast to compare.
    private struct Match {
        /// In lower case.
        private let host: [UInt8]?
        /// Empty for every path.
        private let path: [UInt8]
        private let methods: [String]
        let hasConditions: Bool

        init(_ match: RouteMatch) {
            host = match.host.map { $0.utf8.map(\.lowercasedASCII) }
            path = match.path == "/" ? [] : Array(match.path.utf8)
            methods = match.methods
            hasConditions = match.hasConditions
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
