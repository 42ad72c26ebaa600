package import Flow
package import HTTPText
package import NIOHTTP1

/// A request as it was received, before any decision.
///
/// Its fields have no white space around their values. Where its body ends is decided here, once.
package struct Request: Sendable {
    /// The most fields of a head, or of a trailer section; HAProxy allows 101 (`tune.http.maxhdr`), Node 1000.
    package static let mostFields = 256

    /// Its target is in origin form if it is proper: an absolute one is parsed, and its authority replaces `Host` (RFC 9112,
    /// section 3.2.2).
    package private(set) var head: HTTPRequestHead
    package let bodyLength: RequestBodyLength
    package let expectation: RequestExpectation
    /// Whether the client accepts trailers after a chunked body (`TE: trailers`; RFC 9110, section 10.1.4).
    package let acceptsTrailers: Bool
    /// The client's end of the connection.
    package let peerAddress: PeerAddress
    /// Whether the connection has TLS.
    package let isSecure: Bool
    /// The SHA-256 of the certificate that the client presented, in hexadecimal; `nil` if it presented none.
    package let certificate: String?
    /// The trace that it belongs to; `nil` until it is set, and without tracing.
    package var trace: TraceContext?
    /// The port of the `https:` URL to which its listener redirects it; `nil` if it is served.
    package internal(set) var redirectPort: Int?
    /// The fields that responses to pages of other origins get; `nil` if there are none.
    package var crossOrigin: HTTPHeaders?
    /// The host that it is for, with its port; `nil` from an HTTP/1.0 client that does not send one.
    package let authority: String?
    /// The same without the port; `nil` if it is not valid.
    package let host: Substring?
    /// Those of its fields, and perhaps of others.
    private let names: FieldNames
    /// Whether `Host` is one valid host, which only an HTTP/1.0 client may omit (RFC 9112, section 3.2).
    ///
    /// That is required also if the target is absolute, whose authority is used instead.
    package let hasProperHost: Bool
    /// Whether the target is a path, or `*` for OPTIONS, possibly of an absolute URI (RFC 9112, section 3.2).
    package let hasProperTarget: Bool

    /// Whether the method is HEAD.
    ///
    /// Compares the case only: `==` of NIO's enum compares names, for 150 instructions.
    package var isHead: Bool { if case .HEAD = head.method { true } else { false } }

    /// Whether bytes follow the head.
    package var hasBody: Bool { bodyLength.hasBody }

    /// The address of the client's end of the connection, without its port; empty for a unix socket.
    package var peer: String { peerAddress.text }

    /// The values of all lines of a field.
    package func values(of name: String) -> [String] { mayHave(name) ? head.headers[name] : [] }

    /// Whether there may be a field of this name; `false` is certain, and costs less than a look at the fields.
    package func mayHave(_ name: String) -> Bool { names.mayContain(name) }

    /// The request target's path, without the query.
    package var path: Substring { head.uri[..<(head.uri.utf8.firstIndex(of: UInt8(ascii: "?")) ?? head.uri.endIndex)] }

    /// The same with these headers only, for a stream that runs long after the others were needed.
    package func withHeaders(_ headers: HTTPHeaders) -> Request {
        var request = self
        request.head = HTTPRequestHead(version: head.version, method: head.method, uri: head.uri, headers: headers)
        return request
    }

    /// A request whose framing fields have not been read yet.
    ///
    /// - Parameters: As for ``init(head:bodyLength:peer:isSecure:certificate:)``.
    /// - Throws: `RequestFault.malformed` if it is not clear where the body ends. The request handler judges other faults of a
    ///   head: after those the connection can still be read.
    package init(
        head: HTTPRequestHead, peer: PeerAddress, isSecure: Bool = false, certificate: String? = nil
    ) throws(RequestFault) {
        self.init(
            head: head, bodyLength: try RequestBodyLength(of: head), peer: peer, isSecure: isSecure,
            certificate: certificate)
    }

    /// - Parameters:
    ///   - head: As the decoder returned it; without white space around its values.
    ///   - bodyLength: As its framing fields declare it.
    ///   - peer: The client's address.
    ///   - isSecure: Whether the connection has TLS.
    ///   - certificate: The hash of the client's certificate, if it presented one.
    package init(
        head: HTTPRequestHead, bodyLength: RequestBodyLength, peer: PeerAddress, isSecure: Bool = false,
        certificate: String? = nil
    ) {
        var head = head
        self.bodyLength = bodyLength
        (peerAddress, self.isSecure, self.certificate) = (peer, isSecure, certificate)
        let hosts = Hosts(of: head)
        hasProperHost = hosts.areProper
        var names = hosts.names
        expectation = names.mayContain("expect") ? RequestExpectation(of: head) : .none
        acceptsTrailers =
            names.mayContain("te") && head.version != .http1_0
            && head.headers["te"].contains(where: Self.asksForTrailers)
        let target = RequestTarget(head.uri, of: head)
        hasProperTarget = target != nil
        if let target, let authority = target.authority {
            head.uri = target.text
            head.headers.replaceOrAdd(name: "host", value: String(authority.text))
            names.insert("host")
            self.authority = String(authority.text)
            host = authority.host
        } else {
            self.authority = hosts.first
            host = hosts.host
        }
        self.names = names
        self.head = head
    }
}

/// The `Host` lines of a head, found as all names are listed.
private struct Hosts {
    private(set) var names = FieldNames()
    private(set) var first: String?
    /// That of the first line; `nil` if it is not valid.
    let host: Substring?
    let areProper: Bool

    init(of head: HTTPRequestHead) {
        var count = 0
        for (name, value) in head.headers {
            names.insert(name)
            guard name.utf8.count == 4, name.isField("host") else { continue }
            if count == 0 { first = value }
            count += 1
        }
        host = first.flatMap { Authority($0)?.host }
        areProper = count == 0 ? head.version == .http1_0 : count == 1 && host != nil
    }
}

extension Request {
    /// Whether a value of `TE` has `trailers` with a weight other than 0.
    private static func asksForTrailers(_ list: String) -> Bool {
        (list[...].parts(separatedBy: ",") ?? []).contains { member in
            let parts = (member.parts(separatedBy: ";") ?? []).map(\.trimmingOptionalWhitespace)
            return parts[0].isCaseInsensitively("trailers") && !parts.dropFirst().contains(where: isWeightOfZero)
        }
    }

    /// Whether a parameter is `q=0`, `q=0.0` and so on (RFC 9110, section 12.4.2).
    private static func isWeightOfZero(_ parameter: Substring) -> Bool {
        let (name, weight) = parameter.cut(at: "=")
        guard name.trimmingOptionalWhitespace.isCaseInsensitively("q"), let weight = weight?.trimmingOptionalWhitespace
        else { return false }
        return weight.utf8.first == UInt8(ascii: "0")
            && weight.utf8.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
    }
}
