import Flow
import HTTPText
import Observability

/// Facts of a request that spans have beside those of the access log.
package struct TracedRequest: Equatable, Sendable {
    /// The most bytes of a path that a span has.
    static let longestPath = 2048

    private let isSecure: Bool
    /// As the client sent it, valid; `nil` if it sent none.
    private let authority: String?
    /// The peer's address; empty for a unix socket.
    private let peer: String
    /// The path of requests to upstreams.
    private let upstreamPath: String

    package init(isSecure: Bool, authority: String?, peer: String, upstreamPath: String) {
        (self.isSecure, self.authority, self.peer) = (isSecure, authority, peer)
        self.upstreamPath = upstreamPath.cut(to: Self.longestPath)
    }

    /// The attributes of the server's span: without the query and fields, which may contain secrets.
    func attributes(_ facts: StreamFacts) -> [Attribute] {
        var attributes = [
            Attribute("url.scheme", isSecure ? "https" : "http"), Attribute("url.path", facts.path),
            Attribute("network.protocol.version", String(facts.httpVersion.dropFirst("HTTP/".count))),
        ]
        if let authority = authority.flatMap({ Authority($0) }) {
            attributes.append(Attribute("server.address", String(authority.host)))
            if let port = authority.port { attributes.append(Attribute("server.port", port)) }
        }
        if !facts.client.isEmpty { attributes.append(Attribute("client.address", facts.client)) }
        if !peer.isEmpty { attributes.append(Attribute("network.peer.address", peer)) }
        if let route = facts.route { attributes.append(Attribute("http.route", route)) }
        return attributes
    }

    /// The attributes of the span of an attempt at an upstream, by its address in the configuration.
    func attributes(ofUpstream upstream: String) -> [Attribute] {
        guard let end = upstream.firstRange(of: "://") else {
            return [Attribute("url.full", "http://localhost\(upstreamPath)"), Attribute("server.address", upstream)]
        }
        var attributes = [Attribute("url.full", upstream + upstreamPath)]
        guard let authority = Authority(upstream[end.upperBound...]) else { return attributes }
        attributes.append(Attribute("server.address", String(authority.host)))
        attributes.append(Attribute("server.port", authority.port ?? (upstream.hasPrefix("https:") ? 443 : 80)))
        return attributes
    }
}

extension String {
    /// The text, or its beginning if it is longer than this number of bytes.
    func cut(to bytes: Int) -> String {
        utf8.count <= bytes ? self : String(decoding: utf8.prefix(bytes), as: UTF8.self)
    }
}
