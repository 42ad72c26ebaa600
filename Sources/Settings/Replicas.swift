extension Configuration {
    /// The state that this instance shares with others, through a Redis or Valkey server.
    package struct Replicas: Equatable, Sendable {
        /// The server, or, with `master`, its Sentinels; never empty.
        package var servers: [RedisAddress]
        /// The name under which the Sentinels know the server; `nil` without Sentinels.
        package var master: String?
        package var credentials = Credentials()
        package var sentinelCredentials = Credentials()
        /// The certificate authority of `rediss:` servers, in PEM; `nil` for the system's trust store.
        package var authority: WrittenPath?
        /// The name of this instance in the server's data; `nil` for the host's name.
        package var name: String?
        /// The beginning of every key.
        package var prefix = "weir:"
        /// The longest time that a start waits for an answer.
        package var patience = Duration.milliseconds(25)

        package init(servers: [RedisAddress]) { self.servers = servers }

        package struct Credentials: Equatable, Sendable {
            /// `nil` for the server's default user.
            package var user: String?
            /// `nil` if the server requires no password.
            package var password: Secret?

            package init() {}
        }
    }
}

extension Route {
    /// The instances over which a limit counts.
    package enum Scope: String, Equatable, Sendable, CaseIterable {
        /// This one.
        case local
        /// All that share a server (`Configuration.Replicas`).
        case replicas
    }

    /// Whether a limit counts over all replicas.
    package var sharesLimits: Bool {
        streams.scope == .replicas || streams.recordScope == .replicas || breaker?.scope == .replicas
            || tiers.values.contains { $0.streams.recordScope == .replicas }
    }
}
