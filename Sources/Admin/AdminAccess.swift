import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

/// Who may ask the admin listener for what.
///
/// With a token, whoever shows it: `Authorization: Bearer` (RFC 6750, section 2.1). Without, whoever reaches the listener may
/// look, by an address that no web page can make a browser on this machine use (DNS rebinding). In both cases not for a page
/// of another origin: it could not read the answer, but it could occupy what is bounded, such as the places of followers.
struct AdminAccess {
    let token: Secret?

    /// What a balancer or a browser asks for without a word on itself; none of it tells of clients.
    private static let open: Set<Substring> = ["/livez", "/readyz", "/"]

    /// Whether whoever is let in may also end streams and reset breakers.
    var mayAct: Bool { token != nil }

    /// Why a request is not answered; `nil` where it is.
    func refusal(of request: Request) -> Problem? {
        guard !Self.open.contains(request.path) else { return nil }
        guard !isCrossOrigin(request.head.headers) else { return .adminCrossOrigin }
        guard let token else { return isAskedDirectly(request) ? nil : .adminByName }
        let shown = request.head.headers["authorization"]
        guard !shown.isEmpty else { return .adminTokenMissing }
        return shown.count == 1 && Self.credentials(in: FieldText.readable(shown[0])).map(token.matches) ?? false
            ? nil : .adminTokenWrong
    }

    /// What stands behind the scheme `Bearer`, whose case does not matter (RFC 9110, section 11.1).
    private static func credentials(in value: String) -> Substring.UTF8View? {
        guard let space = value.utf8.firstIndex(of: UInt8(ascii: " ")), value[..<space].isCaseInsensitively("bearer")
        else {
            return nil
        }
        return value[space...].drop { $0 == " " }.utf8
    }

    /// Whether a browser sent it for a page of another origin.
    ///
    /// `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/) decides where it is sent: a proxy may have changed `Host`. `same-site`
    /// is another origin too, such as another port of this machine. Browsers that are older, or do not trust the way (http to
    /// another machine), send `Origin` with what a page could read or change (RFC 6454, section 7). What sends neither is no browser.
    private func isCrossOrigin(_ headers: HTTPHeaders) -> Bool {
        let sites = headers["sec-fetch-site"]
        guard sites.isEmpty else { return !sites.allSatisfy { $0 == "same-origin" || $0 == "none" } }
        let host = headers.first(name: "host")?.lowercased()
        return headers["origin"].contains { origin in
            guard let host, let separator = origin.firstRange(of: "://") else { return true }
            return origin[separator.upperBound...].lowercased() != host
        }
    }

    /// Whether `Host` is an address or `localhost`; a unix socket is out of every browser's reach.
    private func isAskedDirectly(_ request: Request) -> Bool {
        guard !request.peer.isEmpty, let host = request.authority else { return true }
        guard let authority = Authority(host) else { return false }
        return authority.host.isCaseInsensitively("localhost") || IPAddress(String(authority.host)) != nil
    }
}
