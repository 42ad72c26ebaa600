import NIOCore

extension Listener {
    /// For a client that chose HTTP/2 just before that was switched off (RFC 9113, section 6.5.2: no fewer).
    private static let standardStreams = 100

    /// Has a connection speak HTTP/2 from here on.
    ///
    /// - Parameters:
    ///   - peer: The other end.
    ///   - channel: The connection's; TLS, if there is any, has completed its handshake.
    /// - Throws: That the pipeline is gone, or that there is no memory.
    func speakHTTP2(with peer: ConnectionPeer, on channel: any Channel) throws {
        let connection = HTTP2Connection(listener: self, peer: peer)
        try channel.pipeline.syncOperations.addHandler(connection)
        try connection.start(maximumStreams: limits.maximumStreams ?? Self.standardStreams)
    }
}
