import Downstream
import Flow
import NIOHTTP1
import Settings

/// The tier that a route's selector gives to the client of a request.
enum ClientTier: Equatable {
    /// It names none: the limits of the route apply.
    case none
    case named(String)
    /// It names one that the route does not have, or several: the limits of the route apply.
    case unknown

    /// The name of a tier of the route; `nil` if there is none.
    var name: String? { if case .named(let name) = self { name } else { nil } }
}

extension ProxyRoute {
    /// Selects the tier of a request's client.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - key: The client's key for the limits of the route.
    ///   - clients: Knows the peers whose header is believed.
    /// - Returns: The tier.
    func tier(of request: Request, key: ClientKey, by clients: ClientAddress) -> ClientTier {
        switch settings.clientTier {
        case nil: return .none
        case .file(let file): return file.table.tier(of: key).map(tier(named:)) ?? .none
        case .header(let name):
            let values = request.values(of: name)
            guard !values.isEmpty, clients.isTrusted(request.peerAddress) else { return .none }
            // A proxy that adds the header to the client's own would let the client choose.
            return values.count == 1 ? tier(named: values[0]) : .unknown
        }
    }

    private func tier(named name: String) -> ClientTier { settings.tiers[name] == nil ? .unknown : .named(name) }

    /// The request without the header of a tier that is not believed: the upstream must not take it for the proxy's.
    ///
    /// - Returns: `nil` if there is no such header.
    func withoutClaimedTier(_ request: Request, by clients: ClientAddress) -> Request? {
        guard case .header(let name)? = settings.clientTier, request.mayHave(name),
            !clients.isTrusted(request.peerAddress)
        else { return nil }
        var headers = request.head.headers
        headers.remove(name: name)
        return request.withHeaders(headers)
    }
}
