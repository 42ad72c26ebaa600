package import Downstream
package import Flow
import Logging
import NIOConcurrencyHelpers
package import NIOCore
package import Observability
package import Settings

/// The running proxy for operators: what they can read and do; from any thread.
package struct OperatorInterface: Sendable {
    private let shared: Shared

    init(_ shared: Shared) { self.shared = shared }

    /// The monotonic time of all event loops.
    package var now: Instant { .monotonic() }

    /// The current configuration.
    package var configuration: Configuration { shared.served.configuration }

    package var connectionLimits: ConnectionLimits { shared.served.connectionLimits }

    /// Whether a request's path is that of the health page.
    package func isHealth(_ path: Substring) -> Bool { shared.served.health.isHere(path) }

    package var readiness: Readiness.State { shared.process.readiness.state }

    /// The names of the current routes, in the order of the configuration; several may be equal.
    package var routes: [String] { shared.served.routes.map(\.name) }

    private var rejectedConnections: RejectedConnections {
        let rejections = shared.connections.rejections
        return RejectedConnections(maximum: rejections.maximum, perAddress: rejections.perName)
    }

    package var process: ProcessReport {
        ProcessReport(
            build: shared.process.build, reloads: shared.process.reloads.withLockedValue { $0 },
            generation: shared.served.generation,
            accessLogLinesLost: shared.log?.lost ?? 0, processLogLinesLost: shared.process.log.lost,
            rejectedConnections: rejectedConnections, replicas: shared.replicas?.figures,
            clientConnections: shared.connections.count,
            certificates: (shared.tls?.validities ?? []).map { CertificateExpiry(file: $0.file, time: $0.until) },
            telemetry: shared.telemetry?.figures)
    }

    // MARK: All event loops

    /// Adds up the counts of the loops.
    ///
    /// - Returns: The sum, on `loop`; a failure if a loop does not report in time or has been shut down.
    /// - Complexity: O(open streams).
    package func figures(on loop: any EventLoop) -> EventLoopFuture<LoopFigures> {
        shared.roster.join(into: LoopFigures(), on: loop, { $0.figures() }, +=)
    }

    /// The same with the slowest streams.
    package func overview(on loop: any EventLoop) -> EventLoopFuture<LoopOverview> {
        shared.roster.join(into: LoopOverview(), on: loop, { $0.overview() }, +=)
    }

    // MARK: One stream

    /// Reports on one stream.
    ///
    /// - Returns: `nil` if no stream with this handle is open; a failure if a loop does not report in time or has been shut down.
    package func report(of handle: StreamHandle, on loop: any EventLoop) -> EventLoopFuture<StreamReport?> {
        shared.roster.join(into: nil, on: loop, { $0.report(of: handle, isEnding: false) }, { $0 = $0 ?? $1 })
    }

    /// Ends one stream after its last whole record.
    ///
    /// - Returns: Its report from before the end; otherwise as ``report(of:on:)``.
    package func end(_ handle: StreamHandle, on loop: any EventLoop) -> EventLoopFuture<StreamReport?> {
        shared.roster.join(into: nil, on: loop, { $0.report(of: handle, isEnding: true) }, { $0 = $0 ?? $1 })
    }

    // MARK: Streams of a client

    /// Reports on the open streams of a client, and ends them if `isEnding`.
    ///
    /// - Parameters:
    ///   - client: Its address, or its name as in ``BreakerReport``.
    ///   - isEnding: Whether each is ended after its last whole record; it is logged.
    ///   - loop: The loop of the result.
    /// - Returns: Their reports from before the end; a failure if a loop does not report in time or has been shut down.
    /// - Complexity: O(open streams).
    package func streams(
        of client: String, isEnding: Bool, on loop: any EventLoop
    ) -> EventLoopFuture<ClientStreams> {
        if isEnding {
            shared.processLog.notice("an operator ends the streams of a client", metadata: ["client": "\(client)"])
        }
        return shared.roster.join(
            into: ClientStreams(), on: loop, { $0.streams(of: client, isEnding: isEnding) }, +=)
    }

    // MARK: Upstreams

    /// The upstreams of each route, in the order of the configuration.
    package func upstreams(at now: Instant) -> [UpstreamReport] {
        shared.served.routes.flatMap { $0.upstreamReports(at: now) }
    }

    /// Drains an upstream, or ends that, and logs it.
    ///
    /// - Parameters:
    ///   - upstream: Its address as configured.
    ///   - route: The name of the route; `nil` for all routes that have it.
    ///   - isDrained: Whether it gets no new requests from now on.
    /// - Returns: Whether there is such an upstream.
    package func drain(_ upstream: String, of route: String?, _ isDrained: Bool) -> Bool {
        let served = shared.served.routes.filter { route == nil || $0.name == route }
        let drained = served.filter { $0.gate.withState { $0.upstreams.drain(upstream, isDrained) } }
        for route in drained {
            shared.processLog.notice(
                isDrained ? "an upstream was drained by an operator" : "an upstream is in use again",
                metadata: ["route": "\(route.name)", "upstream": "\(upstream)"])
        }
        return !drained.isEmpty
    }

    // MARK: Breakers

    /// The breakers of each route, in the order of the configuration.
    ///
    /// - Complexity: O(clients that failed recently), under the lock of each route's gate.
    package func breakerFigures(at now: Instant) -> [BreakerFigures] {
        shared.served.routes.map { $0.gate.breakerFigures(of: $0.name, at: now) }
    }

    /// The breakers that are not closed, at most `limit`.
    ///
    /// - Complexity: As ``breakerFigures(at:)``.
    package func openBreakers(atMost limit: Int, at now: Instant) -> [BreakerReport] {
        var reports: [BreakerReport] = []
        for route in shared.served.routes where reports.count < limit {
            reports += route.openBreakers(atMost: limit - reports.count, at: now)
        }
        return reports
    }

    /// Closes a breaker that is not closed, and logs it.
    ///
    /// - Parameters:
    ///   - route: The name of the route.
    ///   - kind: Of a client or of an upstream.
    ///   - name: The name of the client or upstream, as in ``BreakerReport``.
    /// - Returns: Whether there was one.
    package func resetBreaker(of route: String, _ kind: BreakerKind, named name: String) -> Bool {
        // Routes that differ in their methods or conditions only have one name.
        let named = shared.served.routes.filter { $0.name == route }
        guard named.map({ $0.resetBreaker(kind, of: name, at: now) }).contains(true) else { return false }
        shared.processLog.notice(
            "a breaker was reset by an operator", metadata: ["route": "\(route)", "kind": "\(kind.rawValue)"])
        return true
    }

    // MARK: Answers

    /// The value of `Date` (RFC 9110, section 5.6.7).
    package var date: String { shared.date.text(at: Timestamp.now()) }

    /// Writes a whole response.
    package func send(_ answer: OwnAnswer, to response: any ClientResponse) {
        answer.send(to: response, date: date)
    }

    /// Responds with a problem.
    ///
    /// - Parameters:
    ///   - problem: The reason.
    ///   - request: Its `Accept` selects the media type; `nil` if there is no valid request.
    ///   - response: Receives the response.
    /// - Returns: The length of the body.
    @discardableResult
    package func answer(
        _ problem: Problem, to request: Request?, response: any ClientResponse
    ) -> ByteCount {
        shared.answer(problem, to: request, response: response)
    }

    /// The same response, not sent yet.
    package func answer(_ problem: Problem, to request: Request?) -> OwnAnswer {
        shared.ownAnswer(problem, to: request)
    }
}
