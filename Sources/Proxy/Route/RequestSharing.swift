import Downstream
import Flow
import HTTPText
import NIOHTTP1

/// Whether a request shares another's request to the upstream.
enum RequestSharing: Sendable {
    /// The route does not share.
    case off
    /// With all requests of the same key.
    case shared(SharingKey, JoinRequest)
    case refused(SharingRefusal)

    var isShared: Bool { if case .shared = self { true } else { false } }

    /// The value of `Cache-Status` (RFC 9211); `nil` on a route that does not share.
    var cacheStatus: String? {
        switch self {
        case .off: nil
        case .shared: "weir; fwd=uri-miss; collapsed"
        case .refused(let cause) where cause.isOfRequest: "weir; fwd=bypass; detail=\(cause.rawValue)"
        case .refused(let cause): "weir; fwd=uri-miss; collapsed=?0; detail=\(cause.rawValue)"
        }
    }
}

/// Where the reader of a shared stream asks to begin.
enum JoinRequest: Sendable {
    /// Nowhere in particular: as the route says.
    case asConfigured
    /// After what it has received of an earlier stream.
    case resumed(ResumeRequest)
    /// After an event, if the stream is one of events (`Last-Event-ID`; HTML, section 9.2.4).
    case afterEvent(RecordKey)
}

extension RouteSharing {
    /// Whether a request shares, and with which.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - clients: Knows the peers that may send fields of proxies; from others these count as absent.
    /// - Returns: The decision.
    func sharing(of request: Request, by clients: ClientAddress) -> RequestSharing {
        let headers = request.head.headers
        let untrusted = proxyNames.isEmpty || clients.isTrusted(request.peerAddress) ? [] : proxyNames
        let named = request.mayHave("connection") ? headers.namedByConnection : []
        do throws(SharingRefusal) {
            let key = try rules.key(
                of: .init(
                    method: request.head.method.rawValue, hasContent: request.hasBody, isSecure: request.isSecure,
                    authority: request.authority, target: request.head.uri),
                scope: scope
            ) { named.contains($0) || untrusted.contains($0) ? [] : headers[$0] }
            return .shared(key, joinRequest(in: headers))
        } catch {
            return .refused(error)
        }
    }

    private func joinRequest(in headers: HTTPHeaders) -> JoinRequest {
        headers.lastEventId.map { .afterEvent($0) } ?? .asConfigured
    }
}
