import Downstream
import Flow
import Logging
import Settings

/// One generation of the configuration as it runs: what a request is served by, from its head on.
///
/// A reload makes the next one, which takes over the gates of the routes that stay, so that what is open goes on counting.
/// Immutable but for those gates: a request that was matched by one generation is served by it.
final class ServedConfiguration: Sendable {
    let configuration: Configuration
    /// 1 is the one that the process began with.
    let generation: Int
    let routes: [ProxyRoute]
    let table: RouteTable
    let clients: ClientAddress
    let forwarding: Forwarding
    let connectionLimits: ConnectionLimits
    /// Where streams have addresses of their own; `nil` where they have none.
    let streamsAddress: StreamsAddress?
    let health: HealthAddress

    /// - Parameters:
    ///   - configuration: What to serve.
    ///   - previous: The generation before, whose gates go on; `nil` at the start.
    ///   - log: Is told of the routes' breakers.
    init(_ configuration: Configuration, after previous: ServedConfiguration? = nil, log: Logger) {
        self.configuration = configuration
        generation = (previous?.generation ?? 0) + 1
        routes = configuration.routes.map { settings in
            ProxyRoute(
                settings, hasAddresses: configuration.paths.streams != nil,
                after: previous?.routes.first { $0.settings.match == settings.match }, log: log)
        }
        table = RouteTable(
            matches: configuration.routes.map {
                RouteMatch(host: $0.match.host, path: $0.match.path, methods: $0.match.methods)
            })
        clients = ClientAddress(trusted: configuration.trustedProxies, believes: configuration.forwardedHeader)
        forwarding = Forwarding(clients: clients, pseudonym: configuration.via)
        connectionLimits = ConnectionLimits(
            maximumHeaderBytes: configuration.limits.maxHeaderBytes, headerTime: configuration.limits.headerTimeout,
            keepaliveTime: configuration.limits.keepaliveTimeout,
            maximumStreams: configuration.http2?.maxConcurrentStreams)
        streamsAddress = configuration.paths.streams.map { StreamsAddress(path: $0) }
        health = HealthAddress(path: configuration.paths.health)
    }

    var problemBase: String { configuration.problemBase }

    /// The route of this generation that takes what an older one's route took; `nil` where there is none.
    func successor(of route: ProxyRoute) -> ProxyRoute? {
        routes.first { $0.settings.match == route.settings.match }
    }

    /// From now on the gates judge by this generation's limits.
    func takeEffect(at now: Instant) { for route in routes { route.applyLimits(at: now) } }
}
