import Downstream
import Flow
import NIOHTTP1
import Settings

/// Finds out who the client is: the peer, or behind trusted proxies the one that they say they serve.
struct ClientAddress {
    let trusted: [AddressBlock]
    /// In which field they say it.
    var believes = Configuration.ForwardedHeader.xForwardedFor

    /// The client's address: the last one in the chain that no trusted proxy speaks for.
    ///
    /// Read from the right: each proxy appends the address that it saw, so what stands left of the first untrusted one is
    /// whatever the client made up. Only the field that the trusted proxies are known to set is read: the other one they
    /// may hand through as the client wrote it.
    func client(of request: Request) -> String {
        guard isTrusted(request.peer) else { return request.peer }
        let headers = request.head.headers
        let chain =
            switch believes {
            case .xForwardedFor: headers.listed(in: "x-forwarded-for").map { Self.address(of: $0) }
            case .forwarded: headers.listed(in: "forwarded").map { Self.address(of: Self.parameter("for", of: $0)) }
            }
        var client = request.peer
        for hop in chain.reversed() {
            // A name that is no address (`unknown`, `_hidden`) ends what can be known.
            guard let address = IPAddress(String(hop)) else { break }
            client = address.text
            if !isTrusted(client) { break }
        }
        return client
    }

    /// The key that the route's limits count by.
    func key(of request: Request, address: String, by key: Route.ClientKey) -> ClientKey {
        switch key {
        case .address: ClientKey(address)
        // Who does not send the header shares one key with all who do not.
        case .header(let name): ClientKey(request.head.headers.first(name: name) ?? "")
        // No address looks like a hash.
        case .certificate: ClientKey(request.certificate ?? address)
        }
    }

    /// The peer of a unix socket has no address, and whoever may open the socket is trusted.
    func isTrusted(_ text: String) -> Bool {
        guard !text.isEmpty else { return true }
        return IPAddress(text).map(isTrusted) ?? false
    }

    func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }

    /// A parameter of one element of `Forwarded`: `for="[2001:db8::1]:4711";proto=http`; empty where there is none.
    static func parameter(_ name: String, of element: Substring) -> Substring {
        for pair in element.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0].trimmed.lowercased() == name { return parts[1].trimmed.unquoted }
        }
        return ""
    }

    /// An address without its port and brackets.
    private static func address(of text: Substring) -> Substring {
        let text = text.trimmed
        if text.first == "[", let end = text.firstIndex(of: "]") {
            return text[text.index(after: text.startIndex)..<end]
        }
        guard let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon else { return text }
        return text[..<colon]
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    fileprivate var unquoted: Substring {
        count >= 2 && first == "\"" && last == "\"" ? dropFirst().dropLast() : self
    }
}
