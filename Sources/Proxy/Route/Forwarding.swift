import Downstream
import HTTPText
import NIOHTTP1
import Settings
import Upstream

/// The fields that report a request's path to the upstream: `Via` (RFC 9110, section 7.6.3), `Forwarded` (RFC 7239), and
/// `X-Forwarded-For`, `-Proto` and `-Host`, which are not standardised but widely read.
///
/// For a trusted peer, its chain in the trusted field is continued, and the other fields are created from it: they may be
/// the client's own, forwarded by a proxy that does not know them. For any other peer all are replaced.
struct Forwarding {
    let clients: ClientAddress
    /// weir's name in `Via`; `nil` for no such field.
    let pseudonym: String?

    /// - Parameters:
    ///   - request: The client's request.
    ///   - client: Its address, as ``ClientAddress/client(of:)`` found it.
    ///   - list: The upstream's header, without these fields except `Via`.
    func addFields(of request: Request, client: String, to list: inout HeaderList) {
        if let pseudonym { list.add(own: "Via", Self.via(pseudonym, of: request.head.version)) }
        let way = way(of: request, client: client)
        if !way.addresses.isEmpty { list.add(own: "X-Forwarded-For", way.addresses) }
        list.add(own: "X-Forwarded-Proto", way.scheme)
        if let host = way.host { list.add(own: "X-Forwarded-Host", host) }
        list.add(own: "Forwarded") { list in
            if way.elements.isEmpty {
                list.append(own: "for=")
                Self.appendNode(way.origin, to: &list)
                if let host = way.host {
                    list.append(own: ";host=\"")
                    list.append(host)
                    list.append(own: "\"")
                }
                list.append(own: ";proto=")
                list.append(way.scheme)
            } else {
                list.append(way.elements)
            }
            guard let peer = way.peerBehind else { return }
            list.append(own: ", for=")
            Self.appendNode(peer, to: &list)
        }
    }

    /// Adds weir after the previous recipients of the message.
    ///
    /// - Parameters:
    ///   - headers: The message's end-to-end fields.
    ///   - version: The version of HTTP in which the message was received.
    func addVia(to headers: inout HTTPHeaders, version: HTTPVersion) {
        if let pseudonym { headers.add(name: "Via", value: Self.via(pseudonym, of: version)) }
    }

    /// Whether a request has passed through this proxy before, by its name in `Via` (RFC 9110, section 7.6.3).
    ///
    /// Proxies of one path may all have the default name, so it is a loop only if it occurs several times.
    func isLoop(_ request: Request) -> Bool {
        guard let pseudonym, request.mayHave("via") else { return false }
        let limit = pseudonym == Configuration.standardVia ? 3 : 1
        let passes = request.head.headers.listed(in: "via").count { member in
            // `[protocol-name "/"] protocol-version RWS received-by [RWS comment]`
            let words = member.split(maxSplits: 2, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }
            return words.count > 1 && words[1] == pseudonym
        }
        return passes >= limit
    }

    static func via(_ pseudonym: String, of version: HTTPVersion) -> String {
        version == .http1_1 ? "1.1 " + pseudonym : "\(version.major).\(version.minor) \(pseudonym)"
    }

    /// The content of the fields.
    private struct Way {
        var addresses: String
        var scheme: String
        /// A valid authority, which needs no escapes in a quoted string.
        var host: String?
        /// The previous elements, unchanged.
        var elements = ""
        /// The client of the first element, if there are no previous ones.
        var origin: String
        /// The peer, if it forwarded for a client.
        var peerBehind: String?
    }

    private func way(of request: Request, client: String) -> Way {
        let headers = request.head.headers
        let peer = request.peerAddress.canonical
        let host = request.host == nil ? nil : request.authority
        let ownScheme = request.isSecure ? "https" : "http"
        guard clients.isTrusted(request.peerAddress) else {
            return Way(addresses: peer, scheme: ownScheme, host: host, origin: peer)
        }
        // A peer that forwards for no client is the client.
        let isClient = client == request.peer || client == peer
        switch clients.believes {
        case .xForwardedFor:
            let known = request.values(of: "x-forwarded-for")
            return Way(
                addresses: known.isEmpty ? peer : Self.list(known + [peer]),
                scheme: request.values(of: "x-forwarded-proto").first.flatMap(Self.scheme) ?? ownScheme,
                host: Self.host(request.values(of: "x-forwarded-host").first) ?? host, origin: isClient ? peer : client,
                peerBehind: isClient ? nil : peer)
        case .forwarded:
            let addresses = isClient ? peer : Self.list([client, peer])
            guard request.mayHave("forwarded"), let last = ForwardedElement.all(in: headers)?.last else {
                return Way(addresses: addresses, scheme: ownScheme, host: host, origin: peer)
            }
            return Way(
                addresses: addresses, scheme: last.value(of: "proto").flatMap(Self.scheme) ?? ownScheme,
                host: Self.host(last.value(of: "host")) ?? host, elements: Self.list(headers["forwarded"]),
                origin: peer, peerBehind: peer)
        }
    }

    private static func list(_ members: [String]) -> String { members.filter { !$0.isEmpty }.joined(separator: ", ") }

    /// RFC 7239, section 6: an IPv6 address in brackets and quotes; `unknown` for a peer on a unix socket.
    private static func appendNode(_ address: String, to list: inout HeaderList) {
        let isBracketed = address.contains(byte: UInt8(ascii: ":"))
        if isBracketed { list.append(own: "\"[") }
        if address.isEmpty { list.append(own: "unknown") } else { list.append(address) }
        if isBracketed { list.append(own: "]\"") }
    }

    /// A scheme (RFC 3986, section 3.1); other text would break the syntax of the field.
    private static func scheme(_ text: String) -> String? {
        guard (1...32).contains(text.utf8.count),
            text.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "+-.".utf8.contains($0)
            })
        else { return nil }
        return text
    }

    /// The host, if it is valid: other text would break the syntax of the field, or add elements to it.
    private static func host(_ text: String?) -> String? {
        text.flatMap { Authority($0) != nil ? $0 : nil }
    }
}
