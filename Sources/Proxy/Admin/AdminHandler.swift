import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Settings

/// Answers on the admin listener: `/livez` says that the process runs, `/readyz` whether it wants requests, `/metrics` what
/// it has done, `/v1/admin/state` and `/v1/admin/events` what it is doing, `/` shows that in a browser, and `paths.health`
/// tells how its streams fare.
final class AdminHandler: RequestHandler {
    private let eventLoop: any EventLoop
    private let shared: Shared
    private let outbox: Outbox

    private let live: LiveView
    private let streams: AdminStreams
    private var random = SystemRandomNumberGenerator()

    init(on eventLoop: any EventLoop, shared: Shared, outbox: Outbox, timers: LoopTimers) {
        (self.eventLoop, self.shared, self.outbox) = (eventLoop, shared, outbox)
        streams = AdminStreams(on: eventLoop, shared: shared, outbox: outbox)
        live = LiveView(on: eventLoop, shared: shared, outbox: outbox, timers: timers)
    }

    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {
        let access = AdminAccess(token: shared.served.configuration.adminToken)
        do throws(Problem) {
            guard request.hasProperHost, request.hasProperTarget else {
                writer.closeAfterwards()
                throw .malformedRequest
            }
            if let problem = access.refusal(of: request) { throw problem }
            switch request.head.method {
            case .GET, .HEAD: show(request, writer)
            default: try act(request, body, writer, mayAct: access.mayAct)
            }
        } catch {
            _ = shared.answer(error, to: request, response: writer)
        }
    }

    /// What operators do.
    private func act(
        _ request: Request, _ body: RequestBody, _ writer: any ConnectionResponse, mayAct: Bool
    ) throws(Problem) {
        switch (request.head.method, request.path) {
        case (.POST, "/v1/admin/breakers/reset"):
            guard mayAct else { throw .adminTokenNeeded }
            shared.resetBreaker(request, body, writer)
        case (_, "/v1/admin/breakers/reset"): throw .methodNotAllowed("POST")
        case (.DELETE, let path) where path.hasPrefix(AdminStreams.path):
            guard mayAct else { throw .adminTokenNeeded }
            streams.end(request, writer)
        case (_, let path) where path.hasPrefix(AdminStreams.path): throw .methodNotAllowed("GET, HEAD, DELETE")
        default: throw .methodNotAllowed("GET, HEAD")
        }
    }

    private func show(_ request: Request, _ writer: any ConnectionResponse) {
        switch request.path {
        case "/": answerPage(writer)
        case "/livez": answer(.ok, "alive", writer)
        case "/readyz":
            switch shared.readiness.state {
            case .starting: answer(.serviceUnavailable, "starting", writer)
            case .ready: answer(.ok, "ready", writer)
            case .draining: answer(.serviceUnavailable, "draining", writer)
            }
        case "/metrics":
            answerMetrics(.init(accept: request.head.headers[canonicalForm: "accept"].map(String.init)), writer)
        case "/v1/admin/state": live.answer(writer)
        case "/v1/admin/events": live.follow(request, writer)
        case let path where path.hasPrefix(AdminStreams.path): streams.look(request, writer)
        case _ where shared.served.health.isHere(request.path):
            shared.answerHealth(writer, on: eventLoop) { [outbox] _, _ in outbox.turnEnded() }
        default: answer(.notFound, "see /, /livez, /readyz, /metrics and /v1/admin/state", writer)
        }
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {
        let problem = Problem(fault, limits: shared.served.connectionLimits)
        answer(HTTPResponseStatus(statusCode: problem.status), problem.detail, writer)
    }

    private func answerPage(_ writer: any ConnectionResponse) {
        let page = LivePage(using: &random)
        writer.respond(
            .ok,
            headers: [
                "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                "Content-Security-Policy": page.policy, "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
                "Date": shared.date.text(at: Timestamp.now()),
            ], text: page.html)
    }

    private func answerMetrics(_ format: MetricsText.Format, _ writer: any ConnectionResponse) {
        let waiting = NIOLoopBound((writer: writer, outbox: outbox), eventLoop: eventLoop)
        shared.roster.figures(on: eventLoop).whenComplete { [shared] result in
            let (writer, outbox) = waiting.value
            defer { outbox.turnEnded() }
            guard case .success(let figures) = result else {
                _ = shared.answer(.unavailable(.loopSilent), to: nil, response: writer)
                return
            }
            let page = MetricsPage(figures, of: shared, at: Worker.now(), format: format)
            writer.respond(
                .ok,
                headers: [
                    "Content-Type": format.contentType, "Cache-Control": "no-store", "Vary": "Accept",
                    "Date": shared.date.text(at: Timestamp.now()),
                ], text: page.text(of: shared))
        }
    }

    private func answer(
        _ status: HTTPResponseStatus, _ text: String, _ writer: any ConnectionResponse, more: (String, String)? = nil
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
            ("Date", shared.date.text(at: Timestamp.now())),
        ])
        if let (name, value) = more { headers.add(name: name, value: value) }
        writer.respond(status, headers: headers, text: text + "\n")
    }
}
