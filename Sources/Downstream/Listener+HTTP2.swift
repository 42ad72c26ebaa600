import Flow
import NIOCore
import NIOHPACK
import NIOHTTP2

// HTTP/2: what NIO is told to bear with, and where a connection goes over to it.

extension Listener {
    /// A stream is writable exactly while it holds nothing, as a connection of HTTP/1.1 is: NIO wants the marks apart.
    private static let waterMarks = (high: 2, low: 1)
    /// What the streams of a connection may hold together before all of them have to wait, and when they may go on.
    ///
    /// NIO tells each change to every stream: with the marks of a stream here, one record cost as much as there are streams.
    /// A batch of one (``Outbox/capacity``) stays below; of the streams that a socket does not take, two at most hold one.
    private static let connectionWaterMarks = ChannelOptions.Types.WriteBufferWaterMark(low: 32 << 10, high: 96 << 10)
    /// For a client that chose HTTP/2 just before that was switched off (RFC 9113, section 6.5.2: no fewer).
    private static let standardStreams = 100
    /// The largest frame that NIO takes without having announced a larger one (RFC 9113, section 6.5.2).
    private static let frameSize = 16384

    /// Replaces what stands at the end of a connection's pipeline by HTTP/2.
    ///
    /// - Parameters:
    ///   - peer: Who is at the other end.
    ///   - channel: The connection's.
    /// - Throws: What NIO says of a pipeline that is gone.
    func speakHTTP2(with peer: ConnectionPeer, on channel: any Channel) throws {
        try channel.syncOptions?.setOption(.writeBufferWaterMark, value: Self.connectionWaterMarks)
        let connection = HTTP2Connection(listener: self, peer: peer)
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let multiplexer = HTTP2StreamMultiplexer(
            mode: .server, channel: channel, outboundBufferSizeHighWatermark: Self.waterMarks.high,
            outboundBufferSizeLowWatermark: Self.waterMarks.low,
            inboundStreamInitializer: { stream in
                stream.eventLoop.makeCompletedFuture { try bound.value.configure(stream) }
            })
        try channel.pipeline.syncOperations.addHandlers(
            NIOHTTP2Handler(
                mode: .server, frameDelegate: connection, connectionConfiguration: http2Configuration),
            connection, multiplexer)
    }

    /// Floods of resets, of pings and settings, of empty frames, of malformed requests, and of continuations without an end
    /// NIO ends by itself: 200 in 30 seconds of each kind are borne with.
    private var http2Configuration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        let headerBytes = limits.maximumHeaderBytes.bytes
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.maximumStreams ?? Self.standardStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerBytes),
        ]
        // As many as a head of the largest size needs.
        configuration.maximumSequentialContinuationFrames = max(
            configuration.maximumSequentialContinuationFrames, headerBytes / Self.frameSize + 1)
        return configuration
    }
}
