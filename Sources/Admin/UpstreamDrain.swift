import Downstream
import Flow
import Foundation
import NIOCore
import NIOHTTP1
import Proxy

/// `POST /v1/admin/upstreams/drain` and `…/undrain`: whether the upstream that the body names gets new requests.
struct UpstreamDrain {
    static let drainPath = "/v1/admin/upstreams/drain"
    static let undrainPath = "/v1/admin/upstreams/undrain"

    let proxy: OperatorInterface

    /// The body: `{"upstream":…}`, with `"route":…` for one route only; other members are ignored.
    private struct Members: Decodable {
        let upstream: String
        let route: String?
    }

    /// Responds with 204 if there is such an upstream.
    func answer(_ request: Request, _ body: RequestBody, _ writer: any ConnectionResponse) {
        let isDrained = request.path == Self.drainPath
        body.collect(upTo: BreakerName.maximumBytes, within: proxy.connectionLimits.headerTime) { [proxy] result in
            do throws(Problem) {
                switch result {
                case .failure(let failure): throw Problem(failure)
                case .success(let bytes):
                    let data = Data(bytes.readableBytesView)
                    guard let named = try? JSONDecoder().decode(Members.self, from: data) else {
                        throw .invalidRequest("The body must name an upstream, and may name a route")
                    }
                    guard proxy.drain(named.upstream, of: named.route, isDrained) else { throw .noSuchUpstream }
                    proxy.send(OwnAnswer(.noContent), to: writer)
                }
            } catch {
                proxy.answer(error, to: request, response: writer)
            }
        }
    }
}
