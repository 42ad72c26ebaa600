import Downstream
import Flow
import NIOHTTP1
import OTLP
import Observability

/// Responds with problems, and logs and counts weir's own responses; one for each event loop.
final class RequestLog {
    private let log: AccessLog?
    private let metrics: LoopMetrics
    /// `nil` if no traces are exported.
    private let spans: SpanBuffer?
    private let date: HTTPDate
    private let style: () -> ProblemStyle
    private var random = RandomPool()

    /// - Parameters:
    ///   - log: `nil` if no access log is written.
    ///   - metrics: The metrics of the loop.
    ///   - spans: The spans of the loop; `nil` if no traces are exported.
    ///   - date: The `Date` of responses.
    ///   - style: Returns how problems are written.
    init(
        _ log: AccessLog?, metrics: LoopMetrics, spans: SpanBuffer? = nil, date: HTTPDate,
        style: @escaping () -> ProblemStyle
    ) {
        (self.log, self.metrics, self.spans, self.date, self.style) = (log, metrics, spans, date, style)
    }

    /// Whether the access log is written.
    var isEnabled: Bool { log != nil }

    /// Whether a line reports each request that is sent to an upstream.
    var logsStarts: Bool { log?.tellsStarts ?? false }

    /// The fields of a request that its lines need until its end.
    func keptHeaders(of request: Request) -> HTTPHeaders { log?.keptHeaders(of: request) ?? [:] }

    func write(_ event: StreamEvent) { log?.write(event) }

    /// A new id, for a stream or for a request that is not forwarded.
    func nextId() -> StreamId { StreamId(using: &random) }

    /// The facts of a request for the access log.
    func facts(
        of request: Request, client: String, route: String?, tier: String? = nil, id: StreamId?
    ) -> StreamFacts {
        var facts = StreamFacts(
            id: id, client: client, route: route, method: request.head.method.rawValue, path: String(request.path),
            httpVersion: "HTTP/\(request.head.version.major).\(request.head.version.minor)")
        facts.tier = tier
        facts.traceId = request.trace?.traceId
        log?.add(headersOf: request, to: &facts)
        return facts
    }

    /// Counts and logs one of weir's own responses that is not a problem; `bytes` is the length of its text, which HEAD does not get.
    func logOwnAnswer(_ request: Request, status: Int, bytes: Int, client: String) {
        metrics.route(nil).tally.responses.count(status)
        let trace = trace(request.trace)
        guard isEnabled || trace != nil else { return }
        let bytes = request.isHead ? .zero : ByteCount(bytes)
        ended(
            request, trace, facts(of: request, client: client, route: nil, id: nextId()),
            StreamTotals(status: status, bytes: bytes), StreamEnd(.completed))
    }

    /// Counts a client whose tier the route does not have.
    func countUnknownTier(on route: String) { metrics.route(route).tally.unknownTiers += 1 }

    // MARK: Traces

    /// Records the spans of a request with this context, if it is sampled.
    func trace(_ context: TraceContext?, from began: @autoclosure () -> Instant = .monotonic()) -> RequestTrace? {
        guard spans != nil, let context, context.isSampled else { return nil }
        return RequestTrace(context, from: began())
    }

    /// A request that is traced has ended.
    func record(_ request: EndedRequest) { spans?.append(request) }

    /// Logs the end of a request that was answered at once, and records its span.
    private func ended(
        _ request: Request, _ trace: RequestTrace?, _ facts: StreamFacts, _ totals: StreamTotals, _ end: StreamEnd
    ) {
        write(.ended(facts, totals, end))
        if let trace { record(EndedRequest(trace, TracedRequest(request), facts, totals, end, at: .monotonic())) }
    }

    // MARK: Refusals

    /// Responds with a problem; `route`, for which it is counted, is `nil` if the request has none.
    func refuse(
        _ request: Request, with problem: Problem, client: String, route: String?, tier: String? = nil,
        response: any ClientResponse
    ) {
        let id = nextId()
        let problem = problem.of(request, id: id)
        let trace = trace(request.trace)
        let bytes = answer(problem, to: request, response: response)
        metrics.route(route).tally.refused(problem.kind, status: problem.status, bytes: bytes)
        ended(
            request, trace, facts(of: request, client: client, route: route, tier: tier, id: id),
            StreamTotals(status: problem.status, bytes: bytes), StreamEnd(.refused, problem: problem.kind))
    }

    /// Responds to an invalid request.
    func refuse(_ problem: Problem, peer: String, response: any ClientResponse) {
        let bytes = answer(problem, to: nil, response: response)
        metrics.route(nil).tally.refused(problem.kind, status: problem.status, bytes: bytes)
        let facts = StreamFacts(id: nextId(), client: peer, method: "-", path: "-")
        write(
            .ended(
                facts, StreamTotals(status: problem.status, bytes: bytes), StreamEnd(.refused, problem: problem.kind)))
    }

    /// - Returns: The length of the body.
    private func answer(_ problem: Problem, to request: Request?, response: any ClientResponse) -> ByteCount {
        OwnAnswer(refusing: request, with: problem, in: style())
            .send(to: response, for: request, date: date.text(at: .now()))
    }
}

extension TracedRequest {
    /// - Parameters:
    ///   - request: The client's.
    ///   - upstreamPath: The path of its requests to upstreams.
    init(_ request: Request, upstreamPath: String = "") {
        self.init(
            isSecure: request.isSecure, authority: request.authority, peer: request.peer, upstreamPath: upstreamPath)
    }
}
