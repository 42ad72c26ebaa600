import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Observability
import Proxy
import Settings

/// Handles requests to the admin listener: `/livez` (whether the process runs), `/readyz` (whether it accepts requests),
/// `/metrics`, `/openapi.json`, `/v1/admin/state` and `/v1/admin/events` (the current state), `/` (the same in a browser), and `paths.health`
/// (the health of the streams).
final class AdminHandler: RequestHandler {
    private let eventLoop: any EventLoop
    private let proxy: OperatorInterface
    private let outbox: Outbox

    private let live: LiveView
    private let streams: AdminStreams
    private var random = SystemRandomNumberGenerator()
    /// The description of the latest generation of the configuration for which it was requested.
    private var description: (generation: Int, document: OpenAPIDocument)?

    init(of proxy: OperatorInterface, on eventLoop: any EventLoop, outbox: Outbox, timers: LoopTimers) {
        (self.eventLoop, self.proxy, self.outbox) = (eventLoop, proxy, outbox)
        streams = AdminStreams(of: proxy, on: eventLoop, outbox: outbox)
        live = LiveView(of: proxy, on: eventLoop, outbox: outbox, timers: timers)
    }

    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {
        let access = AdminAccess(token: proxy.configuration.adminToken)
        do throws(Problem) {
            guard request.hasProperHost, request.hasProperTarget else {
                writer.closeAfterwards()
                throw .malformedRequest
            }
            if let problem = access.refusal(of: request) { throw problem }
            switch request.head.method {
            case .GET, .HEAD: try show(request, writer)
            default: try act(request, body, writer, mayAct: access.mayAct)
            }
        } catch {
            var answer = proxy.answer(error, to: request)
            if let challenge = error.challenge { answer.headers.add(name: "WWW-Authenticate", value: challenge) }
            proxy.send(answer, to: writer)
        }
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) {
        proxy.answer(Problem(fault, limits: proxy.connectionLimits), to: nil, response: writer)
    }

    /// The requests that end streams or reset breakers.
    private func act(
        _ request: Request, _ body: RequestBody, _ writer: any ConnectionResponse, mayAct: Bool
    ) throws(Problem) {
        switch (request.head.method, request.path) {
        case (.POST, BreakerReset.path[...]):
            guard mayAct else { throw .adminTokenNeeded }
            BreakerReset(proxy: proxy).answer(request, body, writer)
        case (_, BreakerReset.path[...]): throw .methodNotAllowed("POST")
        case (.POST, UpstreamDrain.drainPath[...]), (.POST, UpstreamDrain.undrainPath[...]):
            guard mayAct else { throw .adminTokenNeeded }
            UpstreamDrain(proxy: proxy).answer(request, body, writer)
        case (_, UpstreamDrain.drainPath[...]), (_, UpstreamDrain.undrainPath[...]): throw .methodNotAllowed("POST")
        case (.DELETE, AdminStreams.listPath[...]):
            guard mayAct else { throw .adminTokenNeeded }
            streams.list(request, writer, isEnding: true)
        case (_, AdminStreams.listPath[...]): throw .methodNotAllowed("GET, HEAD, DELETE")
        case (.DELETE, let path) where path.hasPrefix(AdminStreams.path):
            guard mayAct else { throw .adminTokenNeeded }
            streams.end(request, writer)
        case (_, let path) where path.hasPrefix(AdminStreams.path): throw .methodNotAllowed("GET, HEAD, DELETE")
        default: throw .methodNotAllowed("GET, HEAD")
        }
    }

    private func show(_ request: Request, _ writer: any ConnectionResponse) throws(Problem) {
        switch request.path {
        case "/": answerPage(writer)
        case "/livez": answer(.ok, "alive", writer)
        case "/readyz":
            switch proxy.readiness {
            case .starting: answer(.serviceUnavailable, "starting", writer)
            case .ready: answer(.ok, "ready", writer)
            case .draining: answer(.serviceUnavailable, "draining", writer)
            }
        case "/metrics":
            answerMetrics(.init(accept: request.head.headers[canonicalForm: "accept"].map(String.init)), writer)
        case "/openapi.json": answerDescription(writer)
        case BreakerReset.path[...], UpstreamDrain.drainPath[...], UpstreamDrain.undrainPath[...]:
            throw .methodNotAllowed("POST")
        case "/v1/admin/state": live.answer(writer)
        case "/v1/admin/events": live.follow(request, writer)
        case "/v1/admin/history": live.answerHistory(writer)
        case AdminStreams.listPath[...]: streams.list(request, writer, isEnding: false)
        case let path where path.hasPrefix(AdminStreams.path): streams.look(request, writer)
        case let path where proxy.isHealth(path):
            HealthPage(proxy).answer(request, writer, on: eventLoop) { [outbox] _, _ in outbox.turnEnded() }
        default: answer(.notFound, "see /, /livez, /readyz, /metrics, /openapi.json and /v1/admin/state", writer)
        }
    }

    private func answerPage(_ writer: any ConnectionResponse) {
        let page = LivePage(Nonce(using: &random))
        var answer = OwnAnswer(.ok, type: "text/html; charset=utf-8", text: page.html).withoutSniffing
        answer.headers.add(contentsOf: [
            "Content-Security-Policy": page.policy, "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        ])
        proxy.send(answer, to: writer)
    }

    private func answerDescription(_ writer: any ConnectionResponse) {
        let text = String(decoding: currentDescription().json, as: UTF8.self) + "\n"
        proxy.send(OwnAnswer(.ok, type: "application/json", text: text).withoutSniffing, to: writer)
    }

    private func currentDescription() -> OpenAPIDocument {
        let process = proxy.process
        if let description, description.generation == process.generation { return description.document }
        let document = OpenAPIDocument(version: process.build.version, for: proxy.configuration)
        description = (process.generation, document)
        return document
    }

    private func answerMetrics(_ format: MetricsText.Format, _ writer: any ConnectionResponse) {
        let waiting = NIOLoopBound((writer: writer, outbox: outbox), eventLoop: eventLoop)
        let metrics = AdminPages().metrics(of: proxy, to: MetricsText(format: format), on: eventLoop)
        metrics.whenComplete { [proxy] result in
            let (writer, outbox) = waiting.value
            defer { outbox.turnEnded() }
            guard case .success(let text) = result else {
                proxy.answer(.unavailable(.loopSilent), to: nil, response: writer)
                return
            }
            var answer = OwnAnswer(.ok, type: format.contentType, text: text.closed())
            answer.headers.add(name: "Vary", value: "Accept")
            proxy.send(answer, to: writer)
        }
    }

    private func answer(_ status: HTTPResponseStatus, _ text: String, _ writer: any ConnectionResponse) {
        proxy.send(OwnAnswer(status, type: "text/plain; charset=utf-8", text: text + "\n"), to: writer)
    }
}
