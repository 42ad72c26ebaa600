import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

extension ServedConfiguration {
    /// The route that serves a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - path: Its path, without the query.
    ///   - method: The method to match if it is not the request's: of a preflight, the one that would follow.
    /// - Returns: The first route that matches.
    /// - Throws: `notFound` if there is none.
    func route(of request: Request, path: Substring, method: String? = nil) throws(Problem) -> ProxyRoute {
        let index = table.match(
            host: request.host, path: path,
            method: method ?? request.head.method.rawValue
        ) { index in
            routes[index].settings.match.conditionsHold(target: request.head.uri) { request.head.headers[$0] }
        }
        guard let index else { throw .notFound }
        return routes[index]
    }
}
