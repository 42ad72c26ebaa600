import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Proxy

/// The health of the streams, at `paths.health` of both listeners.
struct HealthPage {
    private let proxy: OperatorInterface

    init(_ proxy: OperatorInterface) { self.proxy = proxy }

    /// Responds once all loops have reported.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - response: Receives the response.
    ///   - loop: The response's.
    ///   - answered: Called with the status and the length of the body; ends the turn.
    func answer(
        _ request: Request, _ response: any ClientResponse, on loop: any EventLoop,
        answered: @escaping (_ status: Int, _ bytes: Int) -> Void
    ) {
        let waiting = NIOLoopBound((request: request, response: response, answered: answered), eventLoop: loop)
        proxy.figures(on: loop).whenComplete { [proxy] result in
            let (request, response, answered) = waiting.value
            guard case .success(let figures) = result else {
                let bytes = proxy.answer(.unavailable(.loopSilent), to: request, response: response)
                return answered(503, bytes.bytes)
            }
            let answer = Self.answer(HealthReport(of: proxy, figures, at: proxy.now))
            answer.send(to: response, for: request, date: proxy.date)
            answered(Int(answer.status.code), answer.text.utf8.count)
        }
    }

    private static func answer(_ report: HealthReport) -> OwnAnswer {
        var answer = OwnAnswer(
            report.status == .unhealthy ? .serviceUnavailable : .ok, type: "application/json", text: report.json + "\n")
        if let seconds = report.retryAfter { answer.headers.add(name: "Retry-After", value: String(seconds)) }
        return answer
    }
}

extension HealthReport {
    /// The health of a proxy now: the same on its own page and in the live view.
    init(of proxy: OperatorInterface, _ loops: LoopFigures, at now: Instant) {
        self.init(
            Figures(
                loops, proxy.breakerFigures(at: now), proxy.process.replicas,
                isDraining: proxy.readiness == .draining))
    }
}

extension HealthReport.Figures {
    /// - Parameters:
    ///   - loops: The counts of all loops.
    ///   - breakers: The breakers of each route.
    ///   - replicas: `nil` if no limit is shared.
    ///   - isDraining: Whether the proxy is stopping.
    init(_ loops: LoopFigures, _ breakers: [BreakerFigures], _ replicas: ReplicasFigures?, isDraining: Bool) {
        self.init()
        self.isDraining = isDraining
        hasLostReplicas = replicas.map { !$0.isUp } ?? false
        lastMinute = loops.lastMinute
        for tally in loops.routes.values {
            activeStreams += tally.active
            running += tally.running
        }
        for route in breakers {
            // A breaker in dry run rejects nothing.
            if route.upstreams.contains(.open), !route.isUpstreamDryRun { openUpstreams.append(route.route) }
            downUpstreams += route.checked.filter { !$0.isUp }.map { "\($0.upstream) of \(route.route)" }
            if !route.isClientDryRun { openClients += route.clients?.open ?? 0 }
        }
        let waits = breakers.compactMap(\.refusesFor)
        if waits.count == breakers.count { allUpstreamsOpenFor = waits.min() }
    }
}
