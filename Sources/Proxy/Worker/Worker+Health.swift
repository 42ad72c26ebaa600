import Downstream
import Flow
import NIOHTTP1

extension Worker {
    /// Responds to a request at or below `paths.health` on the public listener.
    func answerHealth(_ request: Request, client: String, response: any ClientResponse) throws(Problem) {
        guard shared.served.health.isHere(request.path) else { throw .notFound }
        guard request.head.method == .GET || request.head.method == .HEAD else { throw .methodNotAllowed("GET, HEAD") }
        shared.pages.answerHealth(of: OperatorInterface(shared), request, to: response, on: eventLoop) {
            [self] status, bytes in
            requestLog.logOwnAnswer(request, status: status, bytes: bytes, client: client)
            turnEnded()
        }
    }
}
