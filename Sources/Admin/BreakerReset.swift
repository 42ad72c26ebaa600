import Downstream
import Flow
import NIOCore
import NIOHTTP1
import Proxy

/// `POST /v1/admin/breakers/reset`: closes the breaker that the body names.
struct BreakerReset {
    static let path = "/v1/admin/breakers/reset"

    let proxy: OperatorInterface

    /// Responds with 204 if there was such a breaker.
    func answer(_ request: Request, _ body: RequestBody, _ writer: any ConnectionResponse) {
        body.collect(upTo: BreakerName.maximumBytes, within: proxy.connectionLimits.headerTime) { [proxy] result in
            do throws(Problem) {
                switch result {
                case .failure(let failure): throw Problem(failure)
                case .success(let bytes):
                    let breaker = try BreakerName(Array(bytes.readableBytesView))
                    guard proxy.resetBreaker(of: breaker.route, breaker.kind, named: breaker.name) else {
                        throw .noSuchBreaker
                    }
                    proxy.send(OwnAnswer(.noContent), to: writer)
                }
            } catch {
                proxy.answer(error, to: request, response: writer)
            }
        }
    }
}
