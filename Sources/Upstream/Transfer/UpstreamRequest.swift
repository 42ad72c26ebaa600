package import Flow
package import NIOHTTP1

/// Where a route's requests go, and how its connections are made.
package final class Origin: Sendable {
    /// Whose certificate is taken for the upstream's own.
    package enum Trust: Equatable, Sendable {
        /// One that leads to an authority that the system trusts, and is for the URL's host.
        case system
        /// The same, with the authorities in this file (PEM) alone.
        case authority(path: String)
        /// Any: who is in between can read and change everything.
        case anybody
    }

    /// `http://host:port` or `https://host:port`, without a path.
    package let url: String
    /// The unix socket's; `nil` where the connection goes to a host.
    package let socketPath: String?
    /// Where to connect instead of the URL's host, as CURLOPT_CONNECT_TO has it; `nil` for there.
    package let target: String?
    /// `nil` without TLS.
    package let trust: Trust?
    /// Whether requests share connections of HTTP/2: over TLS where the upstream takes it (ALPN), without TLS at once
    /// (prior knowledge); only with ``LibcurlVersion/isFitForHTTP2``.
    package let speaksHTTP2: Bool
    package let connectTimeout: Duration
    /// `SO_RCVBUF` of its connections, set before they connect; `nil` leaves the system's.
    package let receiveBuffer: ByteCount?

    package init(
        url: String, socketPath: String? = nil, target: String? = nil, trust: Trust? = nil, speaksHTTP2: Bool = false,
        connectTimeout: Duration, receiveBuffer: ByteCount?
    ) {
        self.url = url
        self.socketPath = socketPath
        self.target = target
        self.trust = trust
        self.speaksHTTP2 = speaksHTTP2
        self.connectTimeout = connectTimeout
        self.receiveBuffer = receiveBuffer
    }
}

extension Origin: Equatable {
    /// Whether the connections of one serve the other as well.
    package static func == (left: Origin, right: Origin) -> Bool {
        left.url == right.url && left.socketPath == right.socketPath && left.target == right.target
            && left.trust == right.trust && left.speaksHTTP2 == right.speaksHTTP2
            && left.connectTimeout == right.connectTimeout && left.receiveBuffer == right.receiveBuffer
    }
}

/// A request as the upstream gets it, but for its header, which is written to ``Transfer/headers``; of its body, what is
/// known in front of it.
package struct UpstreamRequest: Sendable {
    package var method: HTTPMethod
    /// The request target as it goes on the wire (RFC 9112, section 3.2): `/path?query`, not normalised.
    package var target: String
    /// Its bytes are handed over by the transfer's delegate; `nil` where the head is all.
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
