package import Flow
package import NIOHTTP1

/// A request as the upstream gets it, without its header, which is written to ``Transfer/headers``; of its body, what is
/// known before it arrives.
package struct UpstreamRequest: Sendable {
    package var method: HTTPMethod
    /// The request target as it is sent (RFC 9112, section 3.2): `/path?query`, not normalised.
    package var target: String
    /// The transfer's delegate passes its bytes; `nil` if the request has no body.
    package var body: Body?
    /// How much of the response is read at once, and so the most that libcurl holds while the transfer is paused.
    package var readSize: ByteCount

    /// How a body is announced.
    package struct Body: Equatable, Sendable {
        /// In bytes; `nil` for a chunked one.
        ///
        /// libcurl writes `Content-Length` or `Transfer-Encoding` for it; the header has neither.
        package var length: Int?
        /// Whether the upstream is asked first (`Expect: 100-continue`).
        ///
        /// One that says nothing for a second gets the body.
        package var asksFirst: Bool

        package init(length: Int?, asksFirst: Bool = false) { (self.length, self.asksFirst) = (length, asksFirst) }
    }

    package init(
        method: HTTPMethod, target: String, body: Body? = nil, readSize: ByteCount = .kibibytes(16)
    ) {
        self.body = body
        self.method = method
        self.target = target
        self.readSize = readSize
    }
}
