import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

/// Decides which requests the admin listener accepts.
///
/// With a token, those that send it: `Authorization: Bearer` (RFC 6750, section 2.1). Without one, every request has read
/// access, but its `Host` must be an address or `localhost`, which no web page can make a browser on this machine use (DNS
/// rebinding). In both cases no request for a page of another origin: the page could not read the response, but it could
/// occupy a bounded resource, such as the followers of the events.
struct AdminAccess {
    let token: Secret?

    /// The paths that need no token, for load balancers and browsers; none of them contains data of clients.
    private static let open: Set<Substring> = ["/livez", "/readyz", "/"]

    /// Whether accepted requests may also end streams and reset breakers.
    var mayAct: Bool { token != nil }

    /// The problem with which a request is rejected; `nil` if it is accepted.
    func refusal(of request: Request) -> Problem? {
        guard !Self.open.contains(request.path) else { return nil }
        guard !isCrossOrigin(request.head.headers) else { return .adminCrossOrigin }
        guard let token else { return isAskedDirectly(request) ? nil : .adminByName }
        let shown = request.head.headers["authorization"]
        guard !shown.isEmpty else { return .adminTokenMissing }
        return shown.count == 1 && Self.credentials(in: FieldText.readable(shown[0])).map(token.matches) ?? false
            ? nil : .adminTokenWrong
    }

    /// The text after the scheme `Bearer`, whose case does not matter (RFC 9110, section 11.1).
    private static func credentials(in value: String) -> Substring.UTF8View? {
        guard let space = value.utf8.firstIndex(of: UInt8(ascii: " ")), value[..<space].isCaseInsensitively("bearer")
        else {
            return nil
        }
        return value[space...].drop { $0 == " " }.utf8
    }

    /// Whether a browser sent the request for a page of another origin.
    ///
    /// `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/) decides if it is sent, since a proxy may have changed `Host`.
    /// `same-site` is another origin too, such as another port of this machine. Older browsers, and browsers on an insecure
    /// connection (http to another machine), send `Origin` with requests whose response a page could read, and with those
    /// that change something (RFC 6454, section 7). A client that sends neither is not a browser.
    private func isCrossOrigin(_ headers: HTTPHeaders) -> Bool {
        let sites = headers["sec-fetch-site"]
        guard sites.isEmpty else { return !sites.allSatisfy { $0 == "same-origin" || $0 == "none" } }
        let host = headers.first(name: "host")?.lowercased()
        return headers["origin"].contains { origin in
            guard let host, let separator = origin.firstRange(of: "://") else { return true }
            return origin[separator.upperBound...].lowercased() != host
        }
    }

    /// Whether `Host` is an address or `localhost`; no browser can reach a unix socket.
    private func isAskedDirectly(_ request: Request) -> Bool {
        guard !request.peer.isEmpty, let host = request.authority else { return true }
        guard let authority = Authority(host) else { return false }
        return authority.host.isCaseInsensitively("localhost") || IPAddress(String(authority.host)) != nil
    }
}
