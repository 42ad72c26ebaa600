import Downstream
import Flow
import Logging
import NIOCore
import Observability
import Settings
import Upstream

/// One event loop with everything on it: a listener, libcurl's handles, timers, streams.
///
/// ``RequestPipeline`` handles a request until it is admitted, ``Stream`` after that.
final class Worker {
    let shared: Shared
    let clock: () -> Instant
    let upstream: UpstreamLoop
    let timers: LoopTimers
    let meters: LoopMetrics
    let requestLog: RequestLog
    let streams: OpenStreams
    private let relief: BufferRelief
    private(set) lazy var pulls = LoopPulls(of: shared.pulls, on: self)
    private let outbox = Outbox()
    private(set) var listener: Listener?
    /// On one of the loops.
    private var checks: UpstreamChecks?
    var isChecking: Bool { checks != nil }

    /// - Parameters:
    ///   - eventLoop: The loop; every call is on it.
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
        meters = LoopMetrics(shared.served.routes, timers: timers, at: clock())
        requestLog = RequestLog(
            shared.log, metrics: meters, spans: shared.telemetry?.makeBuffer(), date: shared.date
        ) { shared.served.problemStyle }
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
        let pulls = pulls
        outbox.turnEnds = { pulls.turnEnds() }
        meters.start(at: clock())
    }

    static func now() -> Instant { .monotonic() }

    var eventLoop: any EventLoop { upstream.eventLoop }
    var openStreams: Int { streams.count }

    /// Writes what was queued outside of a turn.
    func turnEnded() { outbox.turnEnded() }

    // MARK: Life cycle

    /// Begins to check the upstreams, or continues with those of another configuration.
    func checkUpstreams(of served: ServedConfiguration) {
        let checks = checks ?? UpstreamChecks(worker: self)
        self.checks = checks
        checks.follow(served.routes)
    }

    /// Stops accepting; streams continue for a part of the grace time each, except those that have no client or wait for an
    /// acknowledgement: no client comes back.
    func drain(over grace: Duration) {
        listener?.drain()
        for stream in streams.all.filter({ !$0.hasClient || $0.machine.isSent }) { stream.end(.drained) }
        streams.drain(over: grace, on: timers, at: clock())
    }

    /// Ends every open stream after its last whole record.
    func endStreams(_ outcome: Outcome) {
        streams.stopDraining()
        for stream in Array(streams.all) { stream.end(outcome) }
        turnEnded()
    }

    /// Ends what is still open and the objects that exist as long as the loop, and with them all reference cycles of the worker.
    func stop() {
        checks?.stop()
        meters.stop()
        listener?.drain()
        listener?.closeAll()
        // A stream need not end with its connection.
        endStreams(.drained)
        pulls.stop()
        upstream.stop()
        // After the pulls, which count as well.
        relief.stop()
        (listener, checks) = (nil, nil)
    }
}

extension Worker: RequestDestination {
    func serve(
        _ target: StreamsAddress.Target, _ request: Request, body: RequestBody, client: String,
        writer: any ConnectionResponse
    ) throws(Problem) {
        try StreamsAPI(host: self).serve(target, request, body: body, client: client, writer: writer)
    }

    func resume(_ resume: ResumeRequest, for request: StreamRequest, writer: any ConnectionResponse) throws(Problem) {
        try StreamsAPI(host: self).resume(resume, for: request, writer: writer)
    }

    func resume(
        after event: RecordKey, oneOf streams: [StreamId], for request: StreamRequest,
        writer: any ConnectionResponse, otherwise: @escaping () -> Void
    ) {
        StreamsAPI(host: self).resume(
            after: event, oneOf: streams[...], for: request, writer: writer, otherwise: otherwise)
    }

    private func begin(_ request: StreamRequest, writer: any ConnectionResponse, at now: Instant) -> Stream {
        let stream = Stream(request, to: writer, on: self, at: now)
        streams.add(stream)
        return stream
    }

    func start(
        _ request: StreamRequest, with permit: consuming Permit, wouldRefuse: AdmissionError?,
        writer: any ConnectionResponse, at now: Instant
    ) {
        let stream = begin(request, writer: writer, at: now)
        if let wouldRefuse { stream.account.noteDryRun(Problem(wouldRefuse).kind) }
        guard request.route.sharesLimits else {
            stream.promiseUnlessAnswered()
            return stream.start(permit)
        }
        stream.share(permit) { stream in
            stream.promiseUnlessAnswered()
            stream.begin()
        }
    }

    func promise(
        _ request: StreamRequest, refusedFor error: AdmissionError, writer: any ConnectionResponse, at now: Instant
    ) -> Bool {
        let stream = begin(request, writer: writer, at: now)
        if stream.waitForAdmission(error) { return true }
        writer.delegate = nil
        ended(stream, hasExpired: false)
        return false
    }
}

extension Worker: StreamsHost {
    var registry: StreamRegistry { shared.registry }
    var served: ServedConfiguration { shared.served }
    var replicas: Replicas? { shared.replicas }

    var process: Logger { shared.processLog }
    var dateText: String { shared.date.text(at: .now()) }
    var isDraining: Bool { shared.isDraining }

    func now() -> Instant { clock() }

    func metrics(of route: ProxyRoute) -> RouteMetrics { meters.route(route) }

    func makeTransfer(
        for request: StreamRequest, at upstream: RouteUpstream, body: RequestBody?, delegate: any TransferDelegate
    ) throws -> any UpstreamTransfer {
        let transfer = try self.upstream.makeTransfer(
            request.route.upstreamRequest(for: request, body: body), at: upstream.origin, delegate: delegate)
        request.route.writeHeader(
            to: &transfer.headers, of: request, at: upstream.address, forwarding: request.served.forwarding)
        return transfer
    }

    func granted(_ terms: Terms) throws(AdmissionError) -> Terms {
        try shared.granted(terms, openStreams: openStreams).terms
    }

    func location(of id: StreamId) -> String? { served.streamsAddress?.location(of: id) }

    func ended(_ stream: Stream, hasExpired: Bool) { streams.remove(stream, hasExpired: hasExpired) }

    func register(_ stream: Stream) { streams.name(stream, on: NIOLoopBound(self, eventLoop: eventLoop)) }

    func lostClient(_ stream: Stream, by key: ResumptionKey) { registry.addDetached(stream.id, by: key) }

    func hasClient(_ stream: Stream, by key: ResumptionKey) { registry.removeDetached(stream.id, by: key) }

    func stream(_ id: StreamId) -> Stream? { streams[id] }

    func endDisplaced(_ id: StreamId) {
        guard case .open(let owner) = registry.place(of: id) else { return }
        guard !owner.eventLoop.inEventLoop else { return streams[id]?.end(.clientGone) ?? () }
        owner.eventLoop.execute {
            owner.value.stream(id)?.end(.clientGone)
            owner.value.turnEnded()
        }
    }

    func bufferChanged(by change: Int) { relief.bufferChanged(by: change) }

    func joinPull(
        for request: StreamRequest, by key: SharingKey, at join: JoinRequest, as id: StreamId,
        delegate: any SharedTransferDelegate
    ) throws(JoinError) -> any UpstreamTransfer {
        try pulls.join(request, by: key, at: join, as: id, delegate: delegate)
    }
}

extension Worker: PullHost {
    var isMemoryExceeded: Bool { shared.buffers.isExceeded }

    func makeTransfer(
        for key: SharingKey, of route: ProxyRoute, at upstream: RouteUpstream, delegate: any TransferDelegate
    ) throws -> any UpstreamTransfer {
        let transfer = try self.upstream.makeTransfer(
            route.upstreamRequest(for: key), at: upstream.origin, delegate: delegate)
        route.writeHeader(to: &transfer.headers, of: key, at: upstream.address, forwarding: served.forwarding)
        return transfer
    }
}
