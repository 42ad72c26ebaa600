import Downstream
import Flow
import Logging
import NIOConcurrencyHelpers
import Observability
import Settings

/// What all loops share: immutable, or protected by a lock that is never taken for a record.
final class Shared: Sendable {
    /// The configuration of new requests; replaced as a whole by a reload.
    ///
    /// The lock is taken a few times per request, never for a record.
    private let current: NIOLockedValueBox<ServedConfiguration>
    let connections: ConnectionCounter
    let tls: ServerTLS?
    private let workers: Int
    /// The bytes of all queues together.
    let buffers: BufferGauge
    let registry = StreamRegistry()
    let pulls = PullTable()
    let log: AccessLog?
    let roster = LoopRoster<any LoopReporter>()
    let pages: any OperatorPages
    /// `nil` if no state is shared with other replicas.
    let replicas: Replicas?
    /// `nil` if nothing is exported over OTLP.
    let telemetry: Telemetry?
    /// Decides about traces that begin here.
    let sampling: TraceSampling
    let process: ProcessState
    let date = HTTPDate()

    init(
        _ configuration: Configuration, workers: Int, maximumConnections: Int, log: LogSink?, process: ProcessLog,
        readiness: Readiness, version: String, tls: ServerTLS?, pages: any OperatorPages,
        replicas: Replicas? = nil, telemetry: Telemetry? = nil
    ) {
        current = NIOLockedValueBox(ServedConfiguration(configuration, replicas: replicas, log: process.logger))
        self.workers = workers
        connections = ConnectionCounter(
            maximum: maximumConnections, perAddress: configuration.limits.connectionsPerAddress, log: process.logger)
        buffers = BufferGauge(loops: workers, maximum: configuration.limits.maxBufferBytes)
        self.log = log.flatMap { sink in configuration.accessLog.map { AccessLog(sink, $0) } }
        self.process = ProcessState(build: .init(version: version), log: process, readiness: readiness)
        self.tls = tls
        self.pages = pages
        self.replicas = replicas
        self.telemetry = telemetry
        sampling = telemetry?.sampling ?? .never
    }

    /// The process's own log.
    var processLog: Logger { process.log.logger }

    var isDraining: Bool { process.readiness.state == .draining }

    var served: ServedConfiguration { current.withLockedValue { $0 } }

    /// Applies the next generation from now on; its limits count for open streams too.
    func serve(_ next: ServedConfiguration, maximumConnections: Int, at now: Instant) {
        let limits = next.configuration.limits
        connections.setLimits(maximum: maximumConnections, perAddress: limits.connectionsPerAddress)
        buffers.setMaximum(limits.maxBufferBytes)
        next.takeEffect(at: now)
        current.withLockedValue { $0 = next }
    }

    /// Whether the limits of the whole process are only reported, not enforced.
    var isLimitsDryRun: Bool { served.configuration.limits.isDryRun }

    /// The negotiated terms under the limits of the whole process, and the refusal by a dry run.
    ///
    /// - Throws: `proxyFull`, except in a dry run.
    func granted(
        _ terms: Terms, openStreams: Int
    ) throws(AdmissionError) -> (terms: Terms, wouldRefuse: AdmissionError?) {
        let limits = served.configuration.limits
        // Each loop has its share: the kernel spreads connections evenly enough.
        if openStreams < (limits.maxStreams + workers - 1) / workers, let granted = buffers.granted(terms) {
            return (limits.isDryRun ? terms : granted, nil)
        }
        let full = AdmissionError.proxyFull(retryAfter: .seconds(1))
        guard limits.isDryRun else { throw full }
        return (terms, full)
    }
}
