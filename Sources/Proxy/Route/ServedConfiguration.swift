import Downstream
import Flow
import Logging
import Settings

/// One generation of the configuration at run time; a request is served by one generation from its head on.
///
/// A reload creates the next one, which takes over the gates of routes that stay, so that open streams still count.
/// Immutable except for those gates.
final class ServedConfiguration: Sendable {
    let configuration: Configuration
    /// 1 for the configuration at the start.
    let generation: Int
    let routes: [ProxyRoute]
    let table: RouteTable
    let clients: ClientAddress
    let forwarding: Forwarding
    let connectionLimits: ConnectionLimits
    /// The addresses of streams; `nil` if they have none.
    let streamsAddress: StreamsAddress?
    let health: HealthAddress
    let problemStyle: ProblemStyle
    /// The policy of weir's own addresses; `nil` if no route has one.
    let crossOrigin: CrossOriginPolicy?

    /// - Parameters:
    ///   - configuration: The configuration to serve.
    ///   - previous: The previous generation, whose gates continue; `nil` at the start.
    ///   - replicas: What is shared with other replicas.
    ///   - log: Reports the routes' breakers.
    init(
        _ configuration: Configuration, after previous: ServedConfiguration? = nil, replicas: Replicas? = nil,
        log: Logger
    ) {
        self.configuration = configuration
        generation = (previous?.generation ?? 0) + 1
        routes = configuration.routes.enumerated().map { index, settings in
            ProxyRoute(
                settings, index: index, hasAddresses: configuration.paths.streams != nil,
                after: previous?.routes.first { $0.settings.match == settings.match }, replicas: replicas,
                log: log)
        }
        table = RouteTable(matches: configuration.routes.map(\.match))
        clients = ClientAddress(trusted: configuration.trustedProxies, believes: configuration.forwardedHeader)
        forwarding = Forwarding(clients: clients, pseudonym: configuration.via)
        connectionLimits = ConnectionLimits(
            maximumHeaderBytes: configuration.limits.maxHeaderBytes, headerTime: configuration.limits.headerTimeout,
            keepaliveTime: configuration.limits.keepaliveTimeout,
            maximumStreams: configuration.http2?.maxConcurrentStreams)
        streamsAddress = configuration.paths.streams.map { StreamsAddress(path: $0) }
        health = HealthAddress(path: configuration.paths.health)
        crossOrigin = CrossOriginPolicy.union(configuration.routes.compactMap(\.cors))
        problemStyle = ProblemStyle(base: configuration.problemBase, proxyName: configuration.proxyName)
    }

    /// The route of this generation with the same match as an older one's route; `nil` if there is none.
    func successor(of route: ProxyRoute) -> ProxyRoute? {
        routes.first { $0.settings.match == route.settings.match }
    }

    /// Applies this generation's limits to the gates from now on.
    func takeEffect(at now: Instant) { for route in routes { route.applyLimits(at: now) } }
}
