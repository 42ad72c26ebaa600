import HTTPText

/// The address of an upstream: a URL without a path, or a unix socket.
package struct UpstreamAddress: Hashable, Sendable {
    package enum Scheme: String, Hashable, Sendable {
        case http, https

        var port: Int {
            switch self {
            case .http: 80
            case .https: 443
            }
        }
    }

    package let scheme: Scheme
    /// A name or an address in lower case, without brackets; `localhost` for a unix socket.
    package let host: String
    package let port: Int
    /// The path of the unix socket; `nil` for a URL.
    package let socketPath: String?

    package init(scheme: Scheme = .http, host: String, port: Int) {
        (self.scheme, self.host, self.port, socketPath) = (scheme, host, port, nil)
    }

    private init(socketPath: String) {
        (scheme, host, port, self.socketPath) = (.http, "localhost", Scheme.http.port, socketPath)
    }

    /// The `Host` of requests for this address, with the port if it is not the scheme's default.
    package var authority: String { Authority.text(host: host, port: port == scheme.port ? nil : port) }

    /// The URL, without a path; for a unix socket the URL of its requests.
    package var url: String { "\(scheme.rawValue)://\(authority)" }

    /// The text from which this address can be read again.
    package var text: String { socketPath.map { "unix:\($0)" } ?? url }
}

extension UpstreamAddress {
    /// Reads `http://host`, `https://host:port` or `unix:/run/app.sock`.
    ///
    /// - Throws: The error, if there is more to say than the allowed values.
    init?(_ text: String) throws(Refusal) {
        if text.hasPrefix("unix:") {
            guard case .unix(let path)? = ListenAddress(text) else { return nil }
            self.init(socketPath: path)
            return
        }
        guard let scheme = [Scheme.http, .https].first(where: { text.hasPrefix("\($0.rawValue)://") }) else {
            return nil
        }
        let rest = text.dropFirst("\(scheme.rawValue)://".count)
        guard !rest.contains("@") else { throw Refusal(reason: "an upstream must not have a user or password") }
        guard !rest.contains(where: { "/?#".contains($0) }) else {
            throw Refusal(reason: "an upstream must not have a path; requests keep theirs, see `strip_prefix`")
        }
        guard let authority = Authority(written: rest) else { return nil }
        let port = authority.port ?? scheme.port
        guard port > 0 else { return nil }
        self.init(scheme: scheme, host: authority.host.lowercased(), port: port)
    }
}
