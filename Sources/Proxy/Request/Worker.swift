import Downstream
import Flow
import NIOCore
import Settings
import Upstream

/// One event loop with all that lives on it: a listener, libcurl's handles, timers, streams.
///
/// ``RequestPipeline`` takes a request up to its stream; ``StreamDriver`` is the rest of its way.
final class Worker {
    let shared: Shared
    let clock: () -> Instant
    let upstream: UpstreamLoop
    let timers: LoopTimers
    let meters: LoopMetrics
    let requestLog: RequestLog
    let streams: OpenStreams
    private let relief: BufferRelief
    private let outbox = Outbox()
    private(set) var listener: Listener?
    /// `nil` until the proxy stops.
    private var draining: DrainingStreams?
    /// On one of the loops.
    private var checks: UpstreamChecks?
    var isChecking: Bool { checks != nil }

    /// - Parameters:
    ///   - eventLoop: The loop that it lives on; every call is on it.
    ///   - shared: What all loops share.
    ///   - gauge: The loop's part of `shared.buffers`.
    ///   - clock: Reads the monotonic clock.
    /// - Throws: If the system has no descriptors left for libcurl's sockets.
    init(
        on eventLoop: any EventLoop, shared: Shared, gauge: BufferGauge.Cell,
        clock: @escaping () -> Instant = Worker.now
    ) throws {
        self.shared = shared
        self.clock = clock
        upstream = try UpstreamLoop(on: eventLoop, clock: clock)
        timers = LoopTimers(on: eventLoop, clock: clock)
        meters = LoopMetrics(routes: shared.served.routes.map(\.name), timers: timers, at: clock())
        requestLog = RequestLog(shared: shared, metrics: meters)
        let timers = timers
        streams = OpenStreams(
            registry: shared.registry, gauge: gauge,
            progress: shared.log?.progressInterval.map { ProgressLog(timers: timers, clock: clock, every: $0) })
        relief = BufferRelief(shared: shared, gauge: gauge, streams: streams, timers: timers, clock: clock)
        let pipeline = RequestPipeline(shared: shared, log: requestLog, clock: clock, to: self)
        listener = Listener(
            on: eventLoop, limits: shared.served.connectionLimits, outbox: outbox, timers: timers, clock: clock,
            gate: shared.connections, tls: shared.tls, handler: pipeline)
        let outbox = outbox
        upstream.handedOver = { outbox.turnEnded() }
        timers.turnEnded = { outbox.turnEnded() }
        meters.start(at: clock())
    }

    static func now() -> Instant { .monotonic() }

    var eventLoop: any EventLoop { upstream.eventLoop }
    var openStreams: Int { streams.count }
    var openDrivers: some Sequence<StreamDriver> { streams.all }

    /// Writes what was caused outside of a turn.
    func turnEnded() { outbox.turnEnded() }

    // MARK: Streams

    private func begin(_ request: StreamRequest, writer: any ConnectionResponse, at now: Instant) -> StreamDriver {
        let driver = StreamDriver(worker: self, asked: request, response: writer, at: now)
        streams.add(driver)
        return driver
    }

    func ended(_ driver: StreamDriver, hasExpired: Bool) { streams.remove(driver, hasExpired: hasExpired) }

    /// Gives a stream an address of its own.
    func register(_ driver: StreamDriver) { streams.name(driver, on: NIOLoopBound(self, eventLoop: eventLoop)) }

    /// Ends a detached stream whose slot another stream of its client has, on whatever loop it is.
    func endDisplaced(_ id: StreamId) {
        guard case .open(let owner) = shared.registry.place(of: id) else { return }
        guard !owner.eventLoop.inEventLoop else { return streams[id]?.end(.clientGone) ?? () }
        owner.eventLoop.execute {
            owner.value.streams[id]?.end(.clientGone)
            owner.value.turnEnded()
        }
    }

    /// A stream of this loop holds that many bytes more, or fewer.
    func bufferChanged(by change: Int) { relief.bufferChanged(by: change) }

    // MARK: Life cycle

    /// Begins to check the upstreams, or continues with those of another configuration.
    func checkUpstreams(of served: ServedConfiguration) {
        let checks = checks ?? UpstreamChecks(worker: self)
        self.checks = checks
        checks.follow(served.routes)
    }

    /// Stops accepting; streams continue for a part of the grace time each, except those that have no client.
    func drain(over grace: Duration) {
        listener?.drain()
        for driver in openDrivers.filter({ $0.response == nil }) { driver.end(.drained) }
        draining = DrainingStreams(streams: streams, timers: timers, over: grace, at: clock())
    }

    /// Ends every stream that is still open, at the end of its last whole record.
    func endStreams(_ outcome: Outcome) {
        relief.stop()
        draining?.stop()
        for driver in Array(openDrivers) { driver.end(outcome) }
        turnEnded()
    }

    /// Ends what lives as long as the loop, and with it every cycle of references that the worker is part of.
    func stop() {
        checks?.stop()
        meters.stop()
        listener?.closeAll()
        upstream.stop()
        (listener, checks, draining) = (nil, nil, nil)
    }
}

extension Worker: RequestDestination {
    func serve(
        _ target: StreamsAddress.Target, _ request: Request, body: RequestBody, client: String,
        writer: any ConnectionResponse
    ) throws(Problem) {
        try StreamsAPI(worker: self).serve(target, request, body: body, client: client, writer: writer)
    }

    func resume(_ resume: ResumeRequest, for request: StreamRequest, writer: any ConnectionResponse) throws(Problem) {
        try StreamsAPI(worker: self).resume(resume, for: request, writer: writer)
    }

    func start(
        _ request: StreamRequest, with permit: consuming Permit, wouldRefuse: AdmissionError?,
        writer: any ConnectionResponse, at now: Instant
    ) {
        let driver = begin(request, writer: writer, at: now)
        if let wouldRefuse { driver.noteDryRun(Problem(wouldRefuse).kind) }
        driver.promiseUnlessAnswered()
        driver.start(permit)
    }

    func promise(
        _ request: StreamRequest, refusedFor error: AdmissionError, writer: any ConnectionResponse, at now: Instant
    ) -> Bool {
        let driver = begin(request, writer: writer, at: now)
        if driver.waitForAdmission(error) { return true }
        writer.delegate = nil
        ended(driver, hasExpired: false)
        return false
    }
}
