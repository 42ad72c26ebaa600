import Downstream
import HTTPText
import NIOHTTP1
import Settings
import Upstream

/// Tells the upstream which way a request came: `Via` (RFC 9110, section 7.6.3), `Forwarded` (RFC 7239), and
/// `X-Forwarded-For`, `-Proto` and `-Host`, which have no standard and are read by more.
///
/// Of a trusted peer the chain is continued that it is believed in, and the fields of the other kind are made anew from
/// it: they may be the client's own, handed through by a proxy that does not know them. Of anybody else all are replaced.
struct Forwarding {
    let clients: ClientAddress
    /// weir's name in `Via`; `nil` for no such field.
    let pseudonym: String?

    /// - Parameters:
    ///   - request: As the client sent it.
    ///   - client: Its address, as ``ClientAddress/client(of:)`` found it.
    ///   - list: The upstream's header, without any of these fields but `Via`.
    func tell(of request: Request, client: String, in list: inout HeaderList) {
        if let pseudonym { list.add("Via", Self.via(pseudonym, of: request.head.version)) }
        let way = way(of: request, client: client)
        if !way.addresses.isEmpty { list.add("X-Forwarded-For", way.addresses) }
        list.add("X-Forwarded-Proto", way.scheme)
        if let host = way.host { list.add("X-Forwarded-Host", host) }
        list.add("Forwarded") { list in
            if way.elements.isEmpty {
                list.append("for=")
                Self.appendNode(way.origin, to: &list)
                if let host = way.host {
                    list.append(";host=\"")
                    list.append(host)
                    list.append("\"")
                }
                list.append(";proto=")
                list.append(way.scheme)
            } else {
                list.append(way.elements)
            }
            guard let peer = way.peerBehind else { return }
            list.append(", for=")
            Self.appendNode(peer, to: &list)
        }
    }

    /// Names weir behind whoever handled the message before it.
    ///
    /// - Parameters:
    ///   - headers: The message's end-to-end fields.
    ///   - version: Of HTTP, in which the message was received.
    func addVia(to headers: inout HTTPHeaders, version: HTTPVersion) {
        if let pseudonym { headers.add(name: "Via", value: Self.via(pseudonym, of: version)) }
    }

    private static func via(_ pseudonym: String, of version: HTTPVersion) -> String {
        version == .http1_1 ? "1.1 " + pseudonym : "\(version.major).\(version.minor) \(pseudonym)"
    }

    /// What the fields say.
    private struct Way {
        var addresses: String
        var scheme: String
        /// A valid authority, which needs no escapes in a quoted string.
        var host: String?
        /// What was told of the way before, as it stands.
        var elements = ""
        /// Whose element is the first where nothing was told before.
        var origin: String
        /// The peer, where it spoke for somebody else.
        var peerBehind: String?
    }

    private func way(of request: Request, client: String) -> Way {
        let headers = request.head.headers
        let address = IPAddress(request.peer)
        // One of IPv4 is in its shortest form already.
        let peer = address.map { request.peer.contains(byte: UInt8(ascii: ":")) ? $0.text : request.peer } ?? ""
        let host = Self.host(request.authority)
        let ownScheme = request.isSecure ? "https" : "http"
        // Whoever may open a unix socket is trusted.
        guard request.peer.isEmpty || address.map(clients.isTrusted) ?? false else {
            return Way(addresses: peer, scheme: ownScheme, host: host, origin: peer)
        }
        // The peer is its own client where it forwards for nobody.
        let isClient = client == request.peer || client == peer
        switch clients.believes {
        case .xForwardedFor:
            let known = headers["x-forwarded-for"]
            return Way(
                addresses: known.isEmpty ? peer : Self.list(known + [peer]),
                scheme: headers.first(name: "x-forwarded-proto").flatMap(Self.scheme) ?? ownScheme,
                host: Self.host(headers.first(name: "x-forwarded-host")) ?? host, origin: isClient ? peer : client,
                peerBehind: isClient ? nil : peer)
        case .forwarded:
            let addresses = isClient ? peer : Self.list([client, peer])
            guard let last = ForwardedElement.all(in: headers)?.last else {
                return Way(addresses: addresses, scheme: ownScheme, host: host, origin: peer)
            }
            return Way(
                addresses: addresses, scheme: last.value(of: "proto").flatMap(Self.scheme) ?? ownScheme,
                host: Self.host(last.value(of: "host")) ?? host, elements: Self.list(headers["forwarded"]),
                origin: peer, peerBehind: peer)
        }
    }

    private static func list(_ members: [String]) -> String { members.filter { !$0.isEmpty }.joined(separator: ", ") }

    /// RFC 7239, section 6: an address of IPv6 in brackets and quotes; who has none, on a unix socket, is `unknown`.
    private static func appendNode(_ address: String, to list: inout HeaderList) {
        let isBracketed = address.contains(byte: UInt8(ascii: ":"))
        if isBracketed { list.append("\"[") }
        list.append(address.isEmpty ? "unknown" : address)
        if isBracketed { list.append("]\"") }
    }

    /// A scheme of RFC 3986, section 3.1; what is none would break the field it is put into.
    private static func scheme(_ text: String) -> String? {
        guard (1...32).contains(text.utf8.count),
            text.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "+-.".utf8.contains($0)
            })
        else { return nil }
        return text
    }

    /// The host, if it is one: anything else would break the field it is put into, or be a list to its readers.
    private static func host(_ text: String?) -> String? {
        text.flatMap { Authority($0) != nil ? $0 : nil }
    }
}
