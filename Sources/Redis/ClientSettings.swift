package import NIOCore
package import NIOSSL

/// How a ``Client`` reaches its server.
package struct ClientSettings: Sendable {
    package enum Servers: Sendable {
        case server(ServerAddress)
        /// Sentinels that know the address of the master with this name.
        case sentinels([ServerAddress], master: String)
    }

    package struct Credentials: Equatable, Sendable {
        /// `nil` for the default user.
        package var user: String?
        package var password: String

        package init(user: String? = nil, password: String) { (self.user, self.password) = (user, password) }
    }

    package var servers: Servers
    package var credentials: Credentials?
    package var sentinelCredentials: Credentials?
    package var database = 0
    /// `nil` for connections without TLS.
    package var tls: NIOSSLContext?
    /// Lua scripts that every connection loads.
    package var scripts: [Script] = []
    /// A channel whose messages are received; `nil` if there is none.
    package var channel: String?
    /// For one attempt to connect, with TLS and every command up to the first use.
    package var connectTimeout = TimeAmount.seconds(2)
    /// The time without a reply after which a connection is closed: longer than any script or fork of a healthy server.
    package var replyTimeout = TimeAmount.seconds(2)
    /// The bounds of the pause before the next attempt; it doubles from the first to the second, and is shortened by up to a
    /// half at random, so that several clients do not retry together.
    package var retry: ClosedRange<TimeAmount> = .milliseconds(50) ... .seconds(2)
    /// Commands without a reply; more are rejected at once.
    package var maximumInFlight = 4096

    package init(servers: Servers) { self.servers = servers }
}

/// A Lua script that the server keeps under its SHA-1.
package struct Script: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    // The texts are long, few, and differ in length.
    package func hash(into hasher: inout Hasher) { hasher.combine(text.utf8.count) }
}
