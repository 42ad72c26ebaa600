package import Flow
package import NIOHTTP1

/// A request as it came in, before any decision.
package struct Request: Sendable {
    /// Its target in origin form: an absolute one is taken apart, its authority being the `Host` then (RFC 9112,
    /// section 3.2.2).
    package let head: HTTPRequestHead
    /// Whether a body follows the head (RFC 9112, section 6.1).
    package let hasBody: Bool
    /// Whether the client wants trailers behind a chunked body (`TE: trailers`; RFC 9110, section 10.1.4).
    package let acceptsTrailers: Bool
    /// The address at the other end of the connection, without its port; empty for a unix socket.
    package let peer: String
    /// Whether it came over TLS.
    package let isSecure: Bool
    /// The SHA-256 of the certificate that the client showed, in hexadecimal; `nil` where it showed none.
    package let certificate: String?
    /// The trace that it belongs to; `nil` until somebody has looked, and where nobody does.
    package var trace: TraceContext?

    /// The request target's path, without the query.
    package var path: Substring { head.uri[..<(head.uri.utf8.firstIndex(of: UInt8(ascii: "?")) ?? head.uri.endIndex)] }

    /// Whether `Host` is sent as it must be (RFC 9112, section 3.2): once by an HTTP/1.1 client, at most once by others.
    package var hasProperHost: Bool {
        let hosts = head.headers["host"]
        guard let host = hosts.first else { return head.version == .http1_0 }
        return hosts.count == 1 && !host.utf8.contains(UInt8(ascii: ","))
    }

    /// Whether a body's transfer coding is one that everybody reads alike.
    ///
    /// `chunked` alone, once, and not beside a length (RFC 9112, sections 6.1 and 6.3). What others might read otherwise is
    /// not passed on.
    package var hasProperCoding: Bool {
        let codings = head.headers["transfer-encoding"]
        guard !codings.isEmpty else { return true }
        return codings.count == 1 && codings[0].lowercased() == "chunked" && head.version != .http1_0
            && !head.headers.contains(name: "content-length")
    }

    /// Whether the target is a path, or `*` for OPTIONS (RFC 9112, section 3.2).
    package var hasProperTarget: Bool {
        head.uri.utf8.first == UInt8(ascii: "/") || (head.uri == "*" && head.method == .OPTIONS)
    }

    /// Whether the client wants to go on in another protocol: its bytes after this request are not HTTP/1.1 to NIO.
    var asksForUpgrade: Bool { head.method == .CONNECT || head.headers.contains(name: "upgrade") }

    /// The same with these headers alone, for a stream that lives long after the others were needed.
    package func withHeaders(_ headers: HTTPHeaders) -> Request {
        var request = Request(
            head: HTTPRequestHead(version: head.version, method: head.method, uri: head.uri, headers: headers),
            hasBody: hasBody, acceptsTrailers: acceptsTrailers, peer: peer, isSecure: isSecure,
            certificate: certificate)
        request.trace = trace
        return request
    }

    package init(head: HTTPRequestHead, peer: String, isSecure: Bool = false, certificate: String? = nil) {
        self.head = head.uri.utf8.first == UInt8(ascii: "/") ? head : Self.inOriginForm(head)
        (self.peer, self.isSecure, self.certificate) = (peer, isSecure, certificate)
        hasBody =
            head.headers.contains(name: "transfer-encoding")
            || head.headers.first(name: "content-length").map { $0 != "0" } ?? false
        acceptsTrailers = head.version != .http1_0 && head.headers["te"].contains(where: Self.asksForTrailers)
    }

    private init(
        head: HTTPRequestHead, hasBody: Bool, acceptsTrailers: Bool, peer: String, isSecure: Bool, certificate: String?
    ) {
        (self.head, self.hasBody, self.acceptsTrailers, self.peer) = (head, hasBody, acceptsTrailers, peer)
        (self.isSecure, self.certificate) = (isSecure, certificate)
    }
}

extension Request {
    /// Whether a value of `TE` names `trailers`, and not with a weight of 0.
    private static func asksForTrailers(_ list: String) -> Bool {
        split(list, at: ",").contains { member in
            let parts = split(member, at: ";").map { trimmed($0).lowercased() }
            return parts[0] == "trailers" && !parts.dropFirst().contains(where: isWeightOfZero)
        }
    }

    /// Whether a parameter is `q=0`, `q=0.0` and so on (RFC 9110, section 12.4.2).
    private static func isWeightOfZero(_ parameter: String) -> Bool {
        let sides = split(parameter[...], at: "=").map(trimmed)
        guard sides.count == 2, sides[0] == "q", let first = sides[1].first else { return false }
        return first == "0" && sides[1].allSatisfy { $0 == "0" || $0 == "." }
    }

    /// Takes a list apart, but not within quotes: a parameter may hold the separator.
    private static func split(_ text: some StringProtocol, at separator: Character) -> [Substring] {
        var isQuoted = false, isEscaped = false
        return Substring(text).split(omittingEmptySubsequences: false) { character in
            defer { isEscaped = isQuoted && !isEscaped && character == "\\" }
            guard !isEscaped else { return false }
            if character == "\"" { isQuoted.toggle() }
            return character == separator && !isQuoted
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// Takes `http://authority/path` apart; leaves every other form as it is.
    private static func inOriginForm(_ head: HTTPRequestHead) -> HTTPRequestHead {
        let scheme = "http://"
        guard head.uri.utf8.count > scheme.utf8.count, head.uri.prefix(scheme.count).lowercased() == scheme else {
            return head
        }
        let rest = head.uri.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty else { return head }
        let target = rest.dropFirst(authority.count)
        var head = head
        head.uri = target.first == "/" ? String(target) : "/" + target
        head.headers.replaceOrAdd(name: "host", value: String(authority))
        return head
    }
}

/// A request that cannot be answered as such: the connection closes behind the answer.
package enum RequestFault: Error, Equatable, Sendable {
    /// RFC 9112 calls it malformed.
    case malformed
    /// The head is larger than the limit.
    case headTooLarge
    /// The head did not arrive in time.
    case headTooSlow
}

/// Answers requests; one for each loop.
package protocol RequestHandler: AnyObject {
    /// A request whose head is complete. The answer goes to `writer`, now or later, and must come to its end; `body` is to
    /// be asked for now or never.
    func requestArrived(_ request: Request, body: RequestBody, writer: ResponseWriter)

    /// Something that is no request; to be answered at once.
    func faultArrived(_ fault: RequestFault, peer: String, writer: ResponseWriter)
}
