import Downstream
import Flow
import Observability
import Settings

/// What all loops share: immutable, or behind a lock that is never taken for a record.
final class Shared: Sendable {
    let routes: [ProxyRoute]
    let table: RouteTable
    let clients: ClientAddress
    let problemBase: String
    let connectionLimits: ConnectionLimits
    let connections: ConnectionBudget
    /// Each loop's share of `limits.max_streams`; the kernel spreads connections evenly enough.
    let streamsPerWorker: Int
    let log: LogSink?
    let readiness: Readiness
    let date = HTTPDate()

    init(_ configuration: Configuration, workers: Int, maximumConnections: Int, log: LogSink?, readiness: Readiness) {
        routes = configuration.routes.map(ProxyRoute.init)
        table = RouteTable(
            matches: configuration.routes.map {
                RouteMatch(host: $0.match.host, path: $0.match.path, methods: $0.match.methods)
            })
        clients = ClientAddress(trusted: configuration.trustedProxies)
        problemBase = configuration.problemBase
        connectionLimits = ConnectionLimits(
            maximumHeaderBytes: configuration.limits.maxHeaderBytes, headerTime: configuration.limits.headerTimeout,
            keepaliveTime: configuration.limits.keepaliveTimeout)
        connections = ConnectionBudget(
            maximum: maximumConnections, perAddress: configuration.limits.connectionsPerAddress)
        streamsPerWorker = (configuration.limits.maxStreams + workers - 1) / workers
        self.log = log
        self.readiness = readiness
    }

    var isDraining: Bool { readiness.state == .draining }
}
