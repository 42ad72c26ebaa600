package import Flow

/// The limits of a listener's connections.
package struct ConnectionLimits: Equatable, Sendable {
    package var maximumHeaderBytes: ByteCount
    /// From the first byte of a request, or from the start of the connection, to the end of the head.
    package var headerTime: Duration
    /// From one response to the next request.
    package var keepaliveTime: Duration
    /// Streams at a time on a connection of HTTP/2; `nil` if HTTP/2 is off.
    package var maximumStreams: Int?

    package init(
        maximumHeaderBytes: ByteCount = .kibibytes(32), headerTime: Duration = .seconds(10),
        keepaliveTime: Duration = .seconds(75), maximumStreams: Int? = nil
    ) {
        self.maximumHeaderBytes = maximumHeaderBytes
        self.headerTime = headerTime
        self.keepaliveTime = keepaliveTime
        self.maximumStreams = maximumStreams
    }
}
