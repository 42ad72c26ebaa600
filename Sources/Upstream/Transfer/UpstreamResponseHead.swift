package import NIOHTTP1

/// The head of a response as it came.
package struct UpstreamResponseHead: Equatable, Sendable {
    package var status: Int
    package var reason: String
    package var headers: HTTPHeaders
    /// The body's length where the head says it.
    package var contentLength: Int?
    package var isChunked = false
    /// In which it came.
    package var version = HTTPVersion.http1_1

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
    }

    /// Whether a body follows (RFC 9112, section 6.3, rules 1 and 2).
    package func hasBody(method: HTTPMethod) -> Bool {
        method != .HEAD && status >= 200 && status != 204 && status != 304 && contentLength != 0
    }
}
