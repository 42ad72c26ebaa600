import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

/// Determines the client's address: the peer, or the address that trusted proxies forward.
struct ClientAddress {
    let trusted: [AddressBlock]
    /// The field in which they forward it.
    var believes = Configuration.ForwardedHeader.xForwardedFor

    /// The client's address: the last one in the chain that is not a trusted proxy.
    ///
    /// Read from the right: each proxy appends the address that it saw, so everything to the left of the first untrusted one
    /// was written by the client. Only the field that the trusted proxies are known to set is read: they may forward the
    /// other one as the client sent it.
    func client(of request: Request) -> String {
        guard isTrusted(request.peerAddress) else { return request.peer }
        var client = request.peer
        for hop in chain(of: request).reversed() {
            // A name that is not an address (`unknown`, `_hidden`) ends the known part of the chain.
            guard let address = IPAddress(String(Self.address(of: hop[...]))) else { break }
            client = address.text
            if !isTrusted(address) { break }
        }
        return client
    }

    private func chain(of request: Request) -> [String] {
        guard request.mayHave(believes.rawValue) else { return [] }
        let headers = request.head.headers
        switch believes {
        case .xForwardedFor: return headers.listed(in: "x-forwarded-for").map { String($0) }
        case .forwarded: return (ForwardedElement.all(in: headers) ?? []).map { $0.value(of: "for") ?? "" }
        }
    }

    /// The client's key for the route's limits.
    ///
    /// - Throws: `repeatedKey`.
    func key(of request: Request, address: String, by key: Route.ClientKey) throws(Problem) -> ClientKey {
        switch key {
        case .address: return key.key(of: address)
        case .header(let name):
            let lines = request.values(of: name)
            guard lines.count <= 1 else { throw .repeatedKey(name) }
            // All clients that do not send the field share one key.
            return key.key(of: lines.first ?? "")
        // An address never has the form of a hash.
        case .certificate: return request.certificate.map { ClientKey($0) } ?? key.key(of: address)
        }
    }

    /// The peer of a unix socket has no address, and is trusted because it could open the socket.
    func isTrusted(_ peer: PeerAddress) -> Bool { peer.text.isEmpty || peer.address.map(isTrusted) ?? false }

    private func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }

    /// An address without its port and brackets.
    private static func address(of text: Substring) -> Substring {
        let text = text.trimmingOptionalWhitespace
        if text.first == "[", let end = text.firstIndex(of: "]") {
            return text[text.index(after: text.startIndex)..<end]
        }
        guard let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon else { return text }
        return text[..<colon]
    }
}
