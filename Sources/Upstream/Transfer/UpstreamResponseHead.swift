import HTTPText
package import NIOHTTP1

/// The head of a response as it came.
package struct UpstreamResponseHead: Equatable, Sendable {
    package var status: Int
    package var reason: String
    package var headers: HTTPHeaders
    /// The names in `headers`, and perhaps others.
    var names = FieldNames.any
    /// The body's length where the head says it.
    package var contentLength: Int?
    package var isChunked = false
    /// In which it came.
    package var version = HTTPVersion.http1_1
    /// Whether a length other than 0 or a transfer coding was in it, also where no body may follow.
    var announcesContent = false

    /// Whether there may be a field of this name; `false` is certain, and costs less than a look at the fields.
    package func mayHave(_ name: String) -> Bool { names.mayContain(name) }

    /// Whether only the connection's end delimits the body (RFC 9112, section 6.3, rule 8).
    package func isDelimitedByClose(method: HTTPMethod) -> Bool {
        hasBody(method: method) && !isChunked && contentLength == nil && version != .http2
    }

    /// Removes what describes a body that is not passed on.
    mutating func dropBody() {
        (contentLength, isChunked) = (0, false)
        headers.remove(name: "transfer-encoding")
        headers.remove(name: "trailer")
        headers.replaceOrAdd(name: "content-length", value: "0")
        names.insert("content-length")
    }

    /// Whether the upstream may send content although none may follow (RFC 9110, sections 9.3.2, 15.3.5 and 15.4.5).
    ///
    /// Servers do so whose `HEAD` is their `GET`: what arrives after the next request was sent would be its response.
    func mayPrecedeContent(method: HTTPMethod) -> Bool {
        guard !hasBody(method: method) else { return false }
        if announcesContent { return true }
        return method.isHead && contentLength == nil && status != 204 && status != 304
    }

    /// Whether a body follows (RFC 9112, section 6.3, rules 1 and 2).
    package func hasBody(method: HTTPMethod) -> Bool {
        !method.isHead && status >= 200 && status != 204 && status != 304 && contentLength != 0
    }
}

extension HTTPMethod {
    /// Compares the case only: `==` of NIO's enum compares names, for 150 instructions.
    fileprivate var isHead: Bool { if case .HEAD = self { true } else { false } }
}
