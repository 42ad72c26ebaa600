import Flow
import Settings
import Upstream

/// One of a route's upstreams.
struct RouteUpstream: Sendable {
    let address: UpstreamAddress
    let origin: Origin
    /// The name in logs and metrics: the address as configured.
    let name: String
    /// What is known of it; continues over a reload.
    let history: UpstreamHistory

    init(address: UpstreamAddress, origin: Origin, history: UpstreamHistory = UpstreamHistory()) {
        (self.address, self.origin, name, self.history) = (address, origin, address.text, history)
    }
}

extension RouteUpstream {
    /// The upstreams of a route; unchanged ones are kept as the same objects, so that their idle connections are still used
    /// and counted.
    static func all(of settings: Route, after previous: [RouteUpstream]) -> [RouteUpstream] {
        settings.upstreams.map { address in
            let origin = Origin(
                url: settings.upstreamTLS.url(of: address), socketPath: address.socketPath,
                target: settings.upstreamTLS.target(of: address), trust: settings.upstreamTLS.trust(for: address),
                speaksHTTP2: settings.upstreamHTTP2 != nil, connectTimeout: settings.timeouts.connect,
                receiveBuffer: settings.upstreamReceiveBuffer)
            let known = previous.filter { $0.address == address }
            return RouteUpstream(
                address: address, origin: known.first { $0.origin == origin }?.origin ?? origin,
                history: known.first?.history ?? UpstreamHistory())
        }
    }
}

extension Route.UpstreamTLS {
    /// The host in libcurl's URL: under `server_name` it is used for the certificate and for SNI.
    fileprivate func url(of address: UpstreamAddress) -> String {
        guard address.scheme == .https, let serverName else { return address.url }
        return UpstreamAddress(scheme: .https, host: serverName, port: address.port).url
    }

    /// The address to connect to, in the form of CURLOPT_CONNECT_TO; `nil` if it is that of the URL.
    fileprivate func target(of address: UpstreamAddress) -> String? {
        guard address.scheme == .https, serverName != nil else { return nil }
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        return "::\(host):\(address.port)"
    }

    fileprivate func trust(for address: UpstreamAddress) -> Origin.Trust? {
        guard address.scheme == .https else { return nil }
        return isInsecure ? .anybody : authority.map { .authority(path: $0.path) } ?? .system
    }
}
