import Downstream
import Flow
import Logging
import Observability
import Settings

/// What all loops share: immutable, or behind a lock that is never taken for a record.
final class Shared: Sendable {
    let routes: [ProxyRoute]
    let table: RouteTable
    let clients: ClientAddress
    let problemBase: String
    let connectionLimits: ConnectionLimits
    let connections: Headcount
    let tls: ServerTLS?
    /// Each loop's share of `limits.max_streams`; the kernel spreads connections evenly enough.
    let streamsPerWorker: Int
    /// What the queues of all streams hold together.
    let buffers: BufferGauge
    /// Whether the limits of the whole process are told and not enforced.
    let isLimitsDryRun: Bool
    /// Where streams have addresses of their own; `nil` where they have none.
    let streamsAddress: StreamsAddress?
    let registry = StreamRegistry()
    let log: AccessLog?
    let health: HealthPage
    let roster = LoopRoster()
    let build: MetricsPage.Build
    /// The process's own log.
    let process: Logger
    let readiness: Readiness
    let date = HTTPDate()

    init(
        _ configuration: Configuration, workers: Int, maximumConnections: Int, log: LogSink?, process: Logger,
        readiness: Readiness, version: String, tls: ServerTLS?
    ) {
        routes = configuration.routes.map {
            ProxyRoute($0, hasAddresses: configuration.paths.streams != nil, log: process)
        }
        table = RouteTable(
            matches: configuration.routes.map {
                RouteMatch(host: $0.match.host, path: $0.match.path, methods: $0.match.methods)
            })
        clients = ClientAddress(trusted: configuration.trustedProxies)
        problemBase = configuration.problemBase
        connectionLimits = ConnectionLimits(
            maximumHeaderBytes: configuration.limits.maxHeaderBytes, headerTime: configuration.limits.headerTimeout,
            keepaliveTime: configuration.limits.keepaliveTimeout,
            maximumStreams: configuration.http2?.maxConcurrentStreams)
        connections = Headcount(
            maximum: maximumConnections, perName: configuration.limits.connectionsPerAddress, sparesUnnamed: true)
        streamsPerWorker = (configuration.limits.maxStreams + workers - 1) / workers
        buffers = BufferGauge(loops: workers, maximum: configuration.limits.maxBufferBytes)
        isLimitsDryRun = configuration.limits.isDryRun
        streamsAddress = configuration.paths.streams.map { StreamsAddress(path: $0) }
        self.log = log.flatMap { sink in configuration.accessLog.map { AccessLog(sink, $0) } }
        health = HealthPage(path: configuration.paths.health)
        build = MetricsPage.Build(version: version)
        self.process = process
        self.readiness = readiness
        self.tls = tls
    }

    var isDraining: Bool { readiness.state == .draining }

    /// What is granted of the negotiated terms, and why nothing would be: for the ceilings of the whole process.
    ///
    /// - Throws: `proxyFull`, unless that is a dry run.
    func granted(
        _ terms: Terms, openStreams: Int
    ) throws(AdmissionError) -> (terms: Terms, wouldRefuse: AdmissionError?) {
        if openStreams < streamsPerWorker, let granted = buffers.granted(terms) {
            return (isLimitsDryRun ? terms : granted, nil)
        }
        let full = AdmissionError.proxyFull(retryAfter: .seconds(1))
        guard isLimitsDryRun else { throw full }
        return (terms, full)
    }
}
