import HTTPText

/// What requests have in common that share one pull, and all that the pull sends of them.
///
/// The request of a pull is written from this value alone. So what a client sends in another field reaches neither the
/// upstream nor, by its response, another client.
package struct SharingKey: Hashable, Sendable {
    /// The route, in the generation of its settings in which the pull is made.
    package let scope: Int
    package let isSecure: Bool
    /// The authority as the client sent it; `nil` if it sent none.
    package let authority: String?
    /// The request target as the client sent it, not normalised: different spellings do not share.
    package let target: String
    /// The lines of each field of the route's key, in the order of the key; none for a field that was not sent.
    package let fields: [[String]]
}

/// The fields that distinguish a route's requests, and the requests that may share.
package struct SharingRules: Equatable, Sendable {
    /// Fields that identify a client to the upstream, or that change what it sends (RFC 9111, section 3.5).
    private static let sensitive: [(name: String, refusal: SharingRefusal)] = [
        ("authorization", .authorization), ("proxy-authorization", .authorization), ("cookie", .cookie),
        ("range", .range),
    ]
    /// Fields that weir itself reads or sets, the same for all readers.
    private static let own: Set<String> = [
        "accept-encoding", "last-event-id", "prefer", "te", "x-stream-buffer-size", "x-stream-rate-limit",
        "x-stream-resume",
    ]
    /// Fields that a pull cannot pass on: of one connection, of the way of one request, or in each key anyway.
    private static let notPassed: Set<String> = [
        "connection", "content-length", "expect", "forwarded", "host", "keep-alive", "max-forwards",
        "proxy-authorization", "proxy-connection", "trailer", "traceparent", "tracestate", "transfer-encoding",
        "upgrade", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
    ]

    /// In lower case, in the order of the configuration.
    package let names: [String]

    /// - Parameter names: The fields of the route's key.
    package init(names: [String]) { self.names = names.map { $0.lowercased() } }

    /// Whether requests can be distinguished by a field: weir neither sets it nor ends it, nor drops it for a name with `_`,
    /// which CGI and WSGI confuse with another.
    package static func mayName(_ name: String) -> Bool {
        let name = name.lowercased()
        return !own.contains(name) && !notPassed.contains(name) && !name.hasPrefix("x-stream-") && !name.contains("_")
    }

    /// Whether requests with a field are not shared, because it identifies a client and the key does not name it.
    package func excludes(_ name: String) -> Bool {
        let name = name.lowercased()
        return !names.contains(name) && Self.sensitive.contains { $0.name == name }
    }

    /// A request as far as it decides about sharing.
    package struct Request {
        package var method: String
        package var hasContent: Bool
        package var isSecure: Bool
        package var authority: String?
        package var target: String

        package init(method: String, hasContent: Bool, isSecure: Bool, authority: String?, target: String) {
            (self.method, self.hasContent, self.isSecure) = (method, hasContent, isSecure)
            (self.authority, self.target) = (authority, target)
        }
    }

    /// The key of a request.
    ///
    /// - Parameters:
    ///   - request: Its head.
    ///   - scope: See ``SharingKey/scope``.
    ///   - lines: The field lines of a name in lower case, in their order; none of a field that is not forwarded.
    /// - Returns: The key; requests with equal keys share.
    /// - Throws: Why it must not share.
    package func key(
        of request: Request, scope: Int, lines: (String) -> [String]
    ) throws(SharingRefusal) -> SharingKey {
        guard request.method == "GET" else { throw .method }
        guard !request.hasContent else { throw .content }
        for (name, refusal) in Self.sensitive where !names.contains(name) && !lines(name).isEmpty { throw refusal }
        return SharingKey(
            scope: scope, isSecure: request.isSecure, authority: request.authority, target: request.target,
            fields: names.map(lines))
    }

    /// Whether the responses to all requests of one key are the same as far as `Vary` says.
    func covers(vary names: [Substring]) -> Bool {
        names.allSatisfy { name in
            let name = name.trimmingOptionalWhitespace.lowercased()
            return self.names.contains(name) || Self.own.contains(name)
        }
    }
}
