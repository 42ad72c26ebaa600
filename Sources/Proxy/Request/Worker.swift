import Downstream
import Flow
import HTTPText
import Logging
import NIOCore
import NIOHTTP1
import Observability
import Settings
import Upstream

/// One event loop with all that lives on it: a listener, libcurl's handles, timers, streams.
///
/// ``requestArrived(_:body:writer:)`` tells the story of a request up to its stream; ``StreamDriver`` tells the rest.
final class Worker {
    let eventLoop: any EventLoop
    let shared: Shared
    let clock: () -> Instant = Worker.now
    let upstream: UpstreamLoop
    let timers: LoopTimers
    let meters: LoopMetrics
    private let outbox = Outbox()
    private(set) var listener: Listener?
    private var streams: [ObjectIdentifier: StreamDriver] = [:]
    /// Those that have an address of their own.
    var named: [StreamId: StreamDriver] = [:]
    private let gauge: BufferGauge.Cell
    /// Bytes that streams have come to hold since the ceiling was last looked at.
    private var growth = 0
    private static let growthToCheck = 256 << 10
    /// `nil` where running streams are not told of.
    private lazy var progress = shared.log?.progressInterval.map { ProgressLog(worker: self, every: $0) }
    /// `nil` until the proxy stops.
    var drain: DrainingStreams?
    private lazy var reliefTimer = LoopTimer(target: self)
    /// On one of the loops.
    private var checks: UpstreamChecks?
    var isChecking: Bool { checks != nil }
    private var random = RandomPool()
    private let connectionFailures = WarningPace(every: .seconds(60))

    init(on eventLoop: any EventLoop, shared: Shared, gauge: BufferGauge.Cell) throws {
        self.eventLoop = eventLoop
        self.shared = shared
        self.gauge = gauge
        upstream = try UpstreamLoop(on: eventLoop, clock: clock)
        timers = LoopTimers(on: eventLoop, clock: clock)
        meters = LoopMetrics(routes: shared.served.routes.map(\.name), timers: timers, at: clock())
        listener = Listener(
            on: eventLoop, limits: shared.served.connectionLimits, outbox: outbox, timers: timers, clock: clock,
            gate: shared.connections, tls: shared.tls, handler: self)
        let outbox = outbox
        upstream.handedOver = { outbox.turnEnded() }
        timers.turnEnded = { outbox.turnEnded() }
        meters.start(at: clock())
    }

    static func now() -> Instant { .monotonic() }

    var openStreams: Int { streams.count }
    var openDrivers: some Sequence<StreamDriver> { streams.values }

    // MARK: The way of a request

    private func serve(
        _ request: Request, body: RequestBody, client: String, by served: ServedConfiguration,
        writer: any ConnectionResponse,
        matched: inout ProxyRoute?
    ) throws(Problem) {
        guard request.head.method != .CONNECT else { throw .connectNotImplemented }
        guard request.hasProperHost, request.hasProperTarget else {
            writer.closeAfterwards()
            throw .malformedRequest
        }
        let path = request.path
        if served.health.owns(path) {
            return try answerHealth(request, client: client, response: writer)
        }
        guard !shared.isDraining else { throw .unavailable(.draining) }
        guard request.expectation != .unknown else { throw .expectationFailed }
        if let target = served.streamsAddress?.target(of: path) {
            return try serve(target, request, body: body, client: client, writer: writer)
        }
        let route = try match(request, path, in: served)
        matched = route
        try checkBody(of: request, on: route)
        let maxForwards = try MaxForwards(of: request)
        guard maxForwards != .exhausted else {
            return try answerAsLastHop(request, on: route, client: client, response: writer)
        }
        let terms = try negotiate(request.head.headers, on: route)
        let asked = StreamRequest(
            request: request, client: client,
            key: try served.clients.key(of: request, address: client, by: route.settings.clientKey), route: route,
            generation: served.generation, terms: terms,
            preferences: Preferences(prefer: request.head.headers["prefer"]), maxForwards: maxForwards,
            body: request.hasBody ? body : nil)
        if try resume(asked, writer: writer) { return }
        try open(asked, writer: writer)
    }

    /// What is wrong with a body before any of it has come.
    private func checkBody(of request: Request, on route: ProxyRoute) throws(Problem) {
        // RFC 9110, section 9.3.2: it would mean nothing, and libcurl would not send it.
        guard !request.hasBody || request.head.method != .HEAD else { throw .bodyOfHeadNotImplemented }
        guard let limit = route.settings.maximumBodyBytes, let length = request.bodyLength.bytes else { return }
        guard length <= limit.bytes else { throw .bodyTooLarge(limit: limit) }
    }

    private func match(
        _ request: Request, _ path: Substring, in served: ServedConfiguration
    ) throws(Problem) -> ProxyRoute {
        let index = served.table.match(
            host: request.authority.flatMap { Authority($0)?.host }, path: path, method: request.head.method.rawValue)
        guard let index else { throw .notFound }
        return served.routes[index]
    }

    private func negotiate(_ headers: HTTPHeaders, on route: ProxyRoute) throws(Problem) -> Terms {
        let policy = route.settings.policy
        do throws(NegotiationError) {
            let ask = try StreamPreferences(
                bufferSize: headers[StreamPreferences.bufferSizeHeader],
                rateLimit: headers[StreamPreferences.rateLimitHeader],
                strictness: policy.strictness)
            return try policy.terms(for: ask)
        } catch {
            throw Problem(error)
        }
    }

    /// Opens a stream, or, for a client that would rather wait than be refused, promises one.
    private func open(_ asked: StreamRequest, writer: any ConnectionResponse) throws(Problem) {
        let now = clock()
        var asked = asked
        do throws(AdmissionError) {
            let (terms, wouldRefuse) = try shared.granted(asked.terms, openStreams: streams.count)
            asked.terms = terms
            let permit = try asked.route.gate.admit(asked.key, at: now)
            let driver = begin(asked, writer: writer, at: now)
            if let wouldRefuse { driver.noteDryRun(Problem(wouldRefuse).kind) }
            driver.promiseUnlessAnswered()
            driver.start(permit)
        } catch {
            guard asked.preferences.respondsAsync, asked.route.async != nil, error.endsByWaiting else {
                throw refusal(error, of: asked, at: now)
            }
            let driver = begin(asked, writer: writer, at: now)
            guard driver.waitForAdmission(error) else {
                writer.delegate = nil
                ended(driver, hasExpired: false)
                throw refusal(error, of: asked, at: now)
            }
        }
    }

    private func refusal(_ error: AdmissionError, of asked: StreamRequest, at now: Instant) -> Problem {
        Problem(asked.route.gate.spread(error, of: asked.key, at: now))
    }

    private func begin(_ asked: StreamRequest, writer: any ConnectionResponse, at now: Instant) -> StreamDriver {
        let driver = StreamDriver(worker: self, asked: asked, response: writer, at: now)
        streams[ObjectIdentifier(driver)] = driver
        progress?.add(driver)
        driver.meter.tally.active += 1
        gauge.setOpenStreams(streams.count)
        return driver
    }

    // MARK: Its end

    func ended(_ driver: StreamDriver, hasExpired: Bool) {
        streams[ObjectIdentifier(driver)] = nil
        progress?.remove(driver)
        driver.meter.tally.active -= 1
        gauge.setOpenStreams(streams.count)
        guard named.removeValue(forKey: driver.id) != nil else { return }
        shared.registry.remove(driver.id, hasExpired: hasExpired)
    }

    /// Whether anybody reads what is told.
    var isLogging: Bool { shared.log != nil }

    func tell(_ event: StreamEvent) { shared.log?.write(event) }

    func nextId() -> StreamId { StreamId(using: &random) }

    func facts(of request: Request, client: String, route: String?, id: StreamId?) -> StreamFacts {
        var facts = StreamFacts(
            id: id, client: client, route: route, method: request.head.method.rawValue, path: String(request.path),
            httpVersion: "HTTP/\(request.head.version.major).\(request.head.version.minor)")
        facts.traceId = request.trace?.traceId
        shared.log?.add(headersOf: request, to: &facts)
        return facts
    }

    // MARK: The ceiling over all queues

    /// A stream of this loop holds so many bytes more, or fewer.
    func bufferChanged(by change: Int) {
        gauge.add(change)
        guard change > 0, shared.buffers.ceiling != nil else { return }
        growth += change
        guard growth >= Self.growthToCheck else { return }
        growth = 0
        // Not now: the stream that grew is in the middle of it.
        if !reliefTimer.isSet, shared.buffers.isExceeded { timers.set(reliefTimer, at: clock()) }
    }

    /// Ends those streams of this loop that hold most, until its part of what is too much is free.
    private func relieve() {
        guard shared.buffers.isExceeded else { return }
        let open = Array(streams.values)
        let ending = shared.buffers.streamsToEnd(holding: open.map { ByteCount($0.gaugedBytes) }, of: gauge)
        guard !shared.isLimitsDryRun else {
            return shared.process.warning(
                "limits.max_buffer_bytes is exceeded, and not enforced", metadata: ["would_end": "\(ending.count)"])
        }
        for index in ending { open[index].end(.cancelled, problem: .unavailable(.proxyFull(retryAfter: .seconds(1)))) }
    }

    // MARK: Stopping

    /// What was caused outside of a turn is written now.
    func turnEnded() { outbox.turnEnded() }

    /// Ends every stream that is still open, at the end of its last whole record.
    func endStreams(_ outcome: Outcome) {
        timers.cancel(reliefTimer)
        drain?.stop()
        for driver in Array(streams.values) { driver.end(outcome) }
        outbox.turnEnded()
    }

    /// Begins to ask the upstreams how they are, or goes on with those of another configuration.
    func checkUpstreams(of served: ServedConfiguration) {
        let checks = checks ?? UpstreamChecks(worker: self)
        self.checks = checks
        checks.follow(served.routes)
    }

    /// Ends what lives as long as the loop, and with it every cycle of references that the worker is part of.
    func stop() {
        checks?.stop()
        meters.stop()
        listener?.closeAll()
        upstream.stop()
        (listener, checks, drain, progress) = (nil, nil, nil, nil)
    }
}

extension Worker: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) { relieve() }
}

extension Worker: RequestHandler {
    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {
        let served = shared.served
        var request = request
        if served.configuration.isTracing {
            request.trace = TraceContext(joining: request.head.headers[TraceContext.parentHeader], using: &random)
        }
        let client = served.clients.client(of: request)
        var route: ProxyRoute?
        do throws(Problem) {
            try serve(request, body: body, client: client, by: served, writer: writer, matched: &route)
        } catch {
            refuse(request, with: error, client: client, route: route?.name, response: writer)
        }
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {
        let problem = Problem(fault, limits: shared.served.connectionLimits)
        let bytes = shared.answer(problem, to: nil, response: writer)
        meters.route(nil).tally.refused(problem.kind, bytes: bytes)
        let facts = StreamFacts(id: nextId(), client: peer, method: "-", path: "-")
        tell(
            .ended(
                facts, StreamTotals(status: problem.status, bytes: bytes), StreamEnd(.refused, problem: problem.kind)))
    }

    func connectionFailed(_ peer: String, because reason: String) {
        guard connectionFailures.isDue(at: clock()) else { return }
        shared.process.info(
            "a client's HTTP/2 connection was ended for what it sent",
            metadata: ["client": "\(peer)", "reason": "\(reason)"])
    }
}
