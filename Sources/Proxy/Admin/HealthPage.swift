import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings

/// The address under `paths.health`, on both listeners.
struct HealthPage: Sendable {
    /// Without a slash at its end; `nil` where there is none.
    let path: String?

    /// Whether a request's path is weir's own, and not for the routes.
    func owns(_ requested: Substring) -> Bool {
        guard let path, requested.utf8.starts(with: path.utf8) else { return false }
        return requested.utf8.count == path.utf8.count || requested.dropFirst(path.count).first == "/"
    }

    /// Whether it is the page itself.
    func isHere(_ requested: Substring) -> Bool { path.map { requested == $0 } ?? false }
}

extension Shared {
    /// Asks all loops, and answers with the health of the streams.
    ///
    /// - Parameters:
    ///   - response: Where the answer goes.
    ///   - loop: The response's.
    ///   - told: Is called with the status and the length of the body, and ends the turn: what it wrote has to go out.
    func answerHealth(
        _ response: any ClientResponse, on loop: any EventLoop, told: @escaping (Int, Int) -> Void
    ) {
        let waiting = NIOLoopBound((response: response, told: told), eventLoop: loop)
        roster.figures(on: loop).whenComplete { [self] result in
            let (response, told) = waiting.value
            guard case .success(let figures) = result else {
                let bytes = answer(.unavailable(.loopSilent), to: nil, response: response)
                return told(503, bytes.bytes)
            }
            let report = HealthReport(healthFigures(figures, at: Worker.now()))
            let status = report.status == .unhealthy ? HTTPResponseStatus.serviceUnavailable : .ok
            var headers = HTTPHeaders([
                ("Content-Type", "application/json"), ("Cache-Control", "no-store"),
                ("Date", date.text(at: Timestamp.now())),
            ])
            if let seconds = report.retryAfter { headers.add(name: "Retry-After", value: String(seconds)) }
            let text = report.json + "\n"
            response.respond(status, headers: headers, text: text)
            told(Int(status.code), text.utf8.count)
        }
    }

    private func healthFigures(_ joined: LoopFigures, at now: Instant) -> HealthReport.Figures {
        var figures = HealthReport.Figures()
        figures.isDraining = isDraining
        figures.lastMinute = joined.lastMinute
        for tally in joined.routes.values {
            figures.activeStreams += tally.active
            figures.running += tally.running
        }
        var reopening: [Duration] = []
        let routes = served.routes
        for route in routes {
            let breakers = route.gate.breakerFigures(at: now)
            // What only notes is not in anybody's way.
            if breakers.upstreams.contains(.open), !(route.settings.upstreamBreaker?.isDryRun ?? false) {
                figures.openUpstreams.append(route.name)
            }
            figures.downUpstreams += breakers.checked.filter { !$0.isUp }.map { "\($0.upstream) of \(route.name)" }
            if let wait = breakers.refusesFor { reopening.append(wait) }
            if !(route.settings.breaker?.isDryRun ?? false) { figures.openClients += breakers.clients?.open ?? 0 }
        }
        if reopening.count == routes.count { figures.allUpstreamsOpenFor = reopening.min() }
        return figures
    }
}

extension Worker {
    /// Answers on the public listener.
    func answerHealth(_ request: Request, client: String, response: any ClientResponse) throws(Problem) {
        guard shared.served.health.isHere(request.path) else { throw .notFound }
        guard request.head.method == .GET || request.head.method == .HEAD else { throw .methodNotAllowed("GET, HEAD") }
        shared.answerHealth(response, on: eventLoop) { [self] status, bytes in
            tellOwn(request, status: status, bytes: bytes, client: client)
            turnEnded()
        }
    }
}
