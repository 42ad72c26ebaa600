import Downstream
import Flow
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
    private let outbox = Outbox()
    private(set) var listener: Listener?
    private var streams: [ObjectIdentifier: StreamDriver] = [:]
    private var random = SystemRandomNumberGenerator()

    init(on eventLoop: any EventLoop, shared: Shared) throws {
        self.eventLoop = eventLoop
        self.shared = shared
        upstream = try UpstreamLoop(on: eventLoop, clock: clock)
        timers = LoopTimers(on: eventLoop, clock: clock)
        listener = Listener(
            on: eventLoop, limits: shared.connectionLimits, outbox: outbox, timers: timers, clock: clock,
            gate: shared.connections, handler: self)
        let outbox = outbox
        upstream.handedOver = { outbox.turnEnded() }
        timers.turnEnded = { outbox.turnEnded() }
    }

    static func now() -> Instant { Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds)) }

    var openStreams: Int { streams.count }

    // MARK: The way of a request

    private func serve(
        _ request: Request, client: String, writer: ResponseWriter, matched: inout ProxyRoute?
    ) throws(Problem) {
        guard !shared.isDraining else { throw .unavailable(.draining) }
        guard request.head.method != .CONNECT else { throw .connectNotImplemented }
        guard request.hasProperHost, request.hasProperTarget else {
            writer.closeAfterwards()
            throw .malformedRequest
        }
        let route = try match(request)
        matched = route
        guard !request.hasBody else { throw .requestBodyNotImplemented }
        let terms = try negotiate(request.head.headers, on: route)
        let permit = try admit(
            shared.clients.key(of: request, address: client, by: route.settings.clientKey), to: route)
        let driver = StreamDriver(
            worker: self, route: route, request: request, client: client, terms: terms, permit: permit, writer: writer,
            at: clock())
        streams[ObjectIdentifier(driver)] = driver
        driver.start()
    }

    private func match(_ request: Request) throws(Problem) -> ProxyRoute {
        let index = shared.table.match(
            host: request.head.headers.first(name: "host"), path: request.path, method: request.head.method.rawValue)
        guard let index else { throw .notFound }
        return shared.routes[index]
    }

    private func negotiate(_ headers: HTTPHeaders, on route: ProxyRoute) throws(Problem) -> Terms {
        let policy = route.settings.policy
        do throws(NegotiationError) {
            let ask = try Ask(
                bufferSize: headers[Ask.bufferSizeHeader], rateLimit: headers[Ask.rateLimitHeader],
                strictness: policy.strictness)
            return try policy.terms(for: ask)
        } catch {
            throw Problem(error)
        }
    }

    private func admit(_ client: ClientKey, to route: ProxyRoute) throws(Problem) -> Permit {
        guard streams.count < shared.streamsPerWorker else { throw .unavailable(.proxyFull(retryAfter: .seconds(1))) }
        do throws(AdmissionError) {
            return try route.gate.admit(client, at: clock())
        } catch {
            throw Problem(error)
        }
    }

    // MARK: Its end

    func ended(_ driver: StreamDriver) { streams[ObjectIdentifier(driver)] = nil }

    /// Answers with a problem instead of the upstream's response.
    func answer(_ problem: Problem, to request: Request?, writer: any ClientResponse) {
        var headers = HTTPHeaders([
            ("Content-Type", Problem.contentType(accept: request?.head.headers.first(name: "accept"))),
            ("Date", shared.date.text(at: Timestamp.now())),
        ])
        if let seconds = problem.retryAfter { headers.add(name: "Retry-After", value: String(seconds)) }
        writer.respond(
            HTTPResponseStatus(statusCode: problem.status), headers: headers,
            text: problem.json(base: shared.problemBase) + "\n")
    }

    /// Whether anybody reads what is told.
    var isLogging: Bool { shared.log != nil }

    func tell(_ event: StreamEvent) { shared.log?.write(AccessLogEntry(event, at: .now()).json()) }

    func nextId() -> StreamId { StreamId(using: &random) }

    func facts(of request: Request, client: String, route: String?, id: StreamId?) -> StreamFacts {
        StreamFacts(
            id: id, client: client, route: route, method: request.head.method.rawValue, path: String(request.path),
            httpVersion: "HTTP/\(request.head.version.major).\(request.head.version.minor)")
    }

    // MARK: Stopping

    /// Stops accepting; streams go on.
    func drain() { listener?.drain() }

    /// Ends every stream that is still open, at the end of its last whole record.
    func endStreams(_ outcome: Outcome) {
        for driver in Array(streams.values) { driver.end(outcome) }
        outbox.turnEnded()
    }

    func stop() {
        listener?.closeAll()
        upstream.stop()
    }
}

extension Worker: RequestHandler {
    func requestArrived(_ request: Request, body: RequestBody, writer: ResponseWriter) {
        let client = shared.clients.client(of: request)
        var route: ProxyRoute?
        do throws(Problem) {
            try serve(request, client: client, writer: writer, matched: &route)
        } catch {
            let id = nextId()
            var problem = error
            problem.instance = id.text
            answer(problem, to: request, writer: writer)
            tell(
                .ended(
                    facts(of: request, client: client, route: route?.name, id: id),
                    StreamTotals(status: problem.status),
                    StreamEnd(.refused, problem: problem.kind)))
        }
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: ResponseWriter) {
        let problem = Problem(fault, limits: shared.connectionLimits)
        answer(problem, to: nil, writer: writer)
        let facts = StreamFacts(id: nextId(), client: peer, method: "-", path: "-")
        tell(.ended(facts, StreamTotals(status: problem.status), StreamEnd(.refused, problem: problem.kind)))
    }
}
