import Downstream
import Flow
import NIOHTTP1
import Observability

/// Answers on the admin listener: `/livez` says that the process runs, `/readyz` whether it wants requests.
final class AdminHandler: RequestHandler {
    private let shared: Shared

    init(shared: Shared) { self.shared = shared }

    func requestArrived(_ request: Request, body: RequestBody, writer: ResponseWriter) {
        guard request.head.method == .GET || request.head.method == .HEAD else {
            return answer(.methodNotAllowed, "only GET and HEAD", writer, more: ("Allow", "GET, HEAD"))
        }
        switch request.path {
        case "/livez": answer(.ok, "alive", writer)
        case "/readyz":
            switch shared.readiness.state {
            case .starting: answer(.serviceUnavailable, "starting", writer)
            case .ready: answer(.ok, "ready", writer)
            case .draining: answer(.serviceUnavailable, "draining", writer)
            }
        default: answer(.notFound, "see /livez and /readyz", writer)
        }
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: ResponseWriter) {
        let problem = Problem(fault, limits: shared.connectionLimits)
        answer(HTTPResponseStatus(statusCode: problem.status), problem.detail, writer)
    }

    private func answer(
        _ status: HTTPResponseStatus, _ text: String, _ writer: ResponseWriter, more: (String, String)? = nil
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
            ("Date", shared.date.text(at: Timestamp.now())),
        ])
        if let (name, value) = more { headers.add(name: name, value: value) }
        writer.respond(status, headers: headers, text: text + "\n")
    }
}
