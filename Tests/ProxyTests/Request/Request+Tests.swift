import Downstream
import HTTPText
import NIOHTTP1

extension Request {
    /// A request as a listener passes it on.
    static func of(
        _ method: HTTPMethod = .GET, _ uri: String = "/", _ headers: [(String, String)] = [],
        host: String? = "example.com", peer: String = "192.0.2.1"
    ) throws -> Request {
        let fields = HTTPHeaders((host.map { [("Host", $0)] } ?? []) + headers)
        return try Request(
            head: HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: fields), peer: PeerAddress(peer)
        )
    }
}
