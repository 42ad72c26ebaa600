import Downstream
import NIOHTTP1
import Settings

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
    ///   - headers: Its end-to-end fields, to which these are added.
    func tell(of request: Request, client: String, in headers: inout HTTPHeaders) {
        let version = request.head.version
        addVia(to: &headers, version: "\(version.major).\(version.minor)")
        let way = way(of: request, client: client)
        func tell(_ name: String, _ value: String) {
            if headers.contains(name: name) { headers.remove(name: name) }
            if !value.isEmpty { headers.add(name: name, value: value) }
        }
        tell("X-Forwarded-For", way.addresses)
        tell("X-Forwarded-Proto", way.scheme)
        tell("X-Forwarded-Host", way.host ?? "")
        tell("Forwarded", way.elements)
    }

    /// Names weir behind whoever handled the message before it.
    ///
    /// - Parameters:
    ///   - headers: The message's end-to-end fields.
    ///   - version: Of HTTP, in which the message was received.
    func addVia(to headers: inout HTTPHeaders, version: String) {
        if let pseudonym { headers.add(name: "Via", value: "\(version) \(pseudonym)") }
    }

    /// What the fields say.
    private struct Way {
        var addresses: String
        var elements: String
        var scheme: String
        var host: String?
    }

    private func way(of request: Request, client: String) -> Way {
        let headers = request.head.headers
        let address = IPAddress(request.peer), peer = address?.text ?? ""
        let host = headers.first(name: "host")
        let ownScheme = request.isSecure ? "https" : "http"
        // Whoever may open a unix socket is trusted.
        guard request.peer.isEmpty || address.map(clients.isTrusted) ?? false else {
            return Way(
                addresses: peer, elements: element(for: peer, scheme: ownScheme, host: host), scheme: ownScheme,
                host: host)
        }
        // The peer is its own client where it forwards for nobody.
        let chain = client == request.peer || client == peer ? [peer] : [client, peer]
        switch clients.believes {
        case .xForwardedFor:
            let known = headers["x-forwarded-for"].filter { !$0.isEmpty }
            let scheme = headers.first(name: "x-forwarded-proto").flatMap(Self.scheme) ?? ownScheme
            let forwardedHost = headers.first(name: "x-forwarded-host") ?? host
            let begin = element(for: chain[0], scheme: scheme, host: forwardedHost)
            return Way(
                addresses: (known + [peer]).filter { !$0.isEmpty }.joined(separator: ", "),
                elements: chain.count == 1 ? begin : "\(begin), for=\(Self.node(peer))",
                scheme: scheme, host: forwardedHost)
        case .forwarded:
            let known = headers["forwarded"].filter { !$0.isEmpty }
            let last = headers[canonicalForm: "forwarded"].last ?? ""
            return Way(
                addresses: chain.filter { !$0.isEmpty }.joined(separator: ", "),
                elements: known.isEmpty
                    ? element(for: peer, scheme: ownScheme, host: host)
                    : (known + ["for=\(Self.node(peer))"]).joined(separator: ", "),
                scheme: Self.scheme(String(ClientAddress.parameter("proto", of: last))) ?? ownScheme,
                host: known.isEmpty ? host : Self.text(ClientAddress.parameter("host", of: last)) ?? host)
        }
    }

    private func element(for address: String, scheme: String, host: String?) -> String {
        guard let host else { return "for=\(Self.node(address));proto=\(scheme)" }
        return "for=\(Self.node(address));host=\"\(Self.escaped(host))\";proto=\(scheme)"
    }

    /// RFC 7239, section 6: an address of IPv6 in brackets and quotes; who has none, on a unix socket, is `unknown`.
    private static func node(_ address: String) -> String {
        guard !address.isEmpty else { return "unknown" }
        return address.utf8.contains(UInt8(ascii: ":")) ? "\"[\(address)]\"" : address
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

    private static func text(_ value: Substring) -> String? { value.isEmpty ? nil : String(value) }

    /// What stands for the text in a quoted string (RFC 9110, section 5.6.4).
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else { return text }
        return String(text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
