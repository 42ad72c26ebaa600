/// Where an upstream answers: a URL that ends before the path.
package struct UpstreamAddress: Hashable, Sendable {
    package enum Scheme: String, Hashable, Sendable {
        case http

        var port: Int {
            switch self {
            case .http: 80
            }
        }
    }

    package let scheme: Scheme
    /// A name or an address in lower case, without brackets.
    package let host: String
    package let port: Int

    package init(scheme: Scheme = .http, host: String, port: Int) {
        (self.scheme, self.host, self.port) = (scheme, host, port)
    }

    /// The `Host` of requests for this address: the port only where it is not the scheme's own.
    package var authority: String { Authority(host: host, port: port == scheme.port ? nil : port).text }

    /// The URL, without a path.
    package var text: String { "\(scheme.rawValue)://\(authority)" }
}

extension UpstreamAddress {
    /// Reads `http://host` or `http://host:port`.
    ///
    /// - Throws: What is wrong, where more can be said than what is allowed.
    init?(_ text: String) throws(Refusal) {
        if let scheme = Unbuilt.upstreamSchemes.first(where: { text.hasPrefix($0) }) {
            throw Refusal(reason: "upstreams at `\(scheme)` are \(Unbuilt.words)")
        }
        guard text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst("http://".count)
        guard !rest.contains("@") else { throw Refusal(reason: "an upstream has no user and password") }
        guard !rest.contains(where: { "/?#".contains($0) }) else {
            throw Refusal(reason: "an upstream ends before the path; requests keep theirs, see `strip_prefix`")
        }
        guard let authority = Authority(rest) else { return nil }
        let port = authority.port ?? Scheme.http.port
        guard port > 0 else { return nil }
        self.init(host: authority.host.lowercased(), port: port)
    }
}
