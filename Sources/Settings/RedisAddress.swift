import HTTPText

/// The address of a Redis server or Sentinel: a URL, or a unix socket.
package struct RedisAddress: Hashable, Sendable {
    package enum Location: Hashable, Sendable {
        /// A name or an address in lower case, without brackets; `nil` for the port that is usual for the role.
        case host(String, port: Int?)
        case unix(path: String)
    }

    package let location: Location
    package let usesTLS: Bool
    package let database: Int

    package init(location: Location, usesTLS: Bool = false, database: Int = 0) {
        (self.location, self.usesTLS, self.database) = (location, usesTLS, database)
    }

    /// The text from which this address can be read again.
    package var text: String {
        switch location {
        case .unix(let path): "unix:\(path)"
        case .host(let host, let port):
            "\(usesTLS ? "rediss" : "redis")://\(Authority.text(host: host, port: port))\(database == 0 ? "" : "/\(database)")"
        }
    }
}

extension RedisAddress {
    /// Reads `redis://host`, `rediss://host:6379/0` or `unix:/run/redis.sock`.
    ///
    /// - Throws: The error, if there is more to say than the allowed values.
    init?(_ text: String) throws(Refusal) {
        if text.hasPrefix("unix:") {
            guard case .unix(let path)? = ListenAddress(text) else { return nil }
            self.init(location: .unix(path: path))
            return
        }
        guard let scheme = ["redis://", "rediss://"].first(where: { text.hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        guard !rest.contains("@") else {
            // In a URL they would have to be percent-encoded, which a variable's value is not.
            throw Refusal(reason: "an address must not have a user or password; allowed: in `user` and `password`")
        }
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count == 2 && !parts[1].isEmpty ? String(parts[1]) : "0"
        guard let authority = Authority(written: parts[0]), authority.port != 0,
            let database = Int(wholeNumber: number),
            (0...16_383).contains(database)
        else { return nil }
        self.init(
            location: .host(authority.host.lowercased(), port: authority.port), usesTLS: scheme == "rediss://",
            database: database)
    }
}

extension Form where Value == RedisAddress {
    static var redisAddress: Form {
        let url = "`redis://` or `rediss://`, a host, and perhaps a port and `/` with a database"
        // Not shown in errors: it may contain a password, in spite of what is allowed.
        return Form(
            allowed: "\(url), or `unix:` and a path", isSecret: true, .pattern("(rediss?://|unix:).+"), text: \.text
        ) { text throws(Refusal) in try RedisAddress(text) }
    }
}
