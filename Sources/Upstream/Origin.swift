package import Flow

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
