import Flow
import NIOCore
import NIOHTTP2

#if canImport(Glibc)
    import Glibc
#endif

/// One client connection that carries many requests: knows its streams and its time; each stream is a channel of its own,
/// with the same handlers as a connection of HTTP/1.1 (``ConnectionHandler``, ``WireHandler``).
///
/// Stands between NIO's handler of frames and its multiplexer:
///
///     socket ─ TLS ─ NIOHTTP2Handler ─ HTTP2Connection ─ HTTP2StreamMultiplexer ─┬─ WireHandler ─ HTTP2StreamCodec ─ ConnectionHandler
///                                                                                └─ …
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let listener: Listener
    private let peer: ConnectionPeer
    private var context: ChannelHandlerContext?
    private var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    private var lastStream = HTTP2StreamID.rootStream
    /// What the client lets come on all streams together.
    private(set) var window = 1
    private var isDraining = false
    private var isLeaving = false
    /// Whether NIO has said goodbye because of what the client did.
    private var hasFailed = false
    private var unsentLimit = UnsentLimit.unmetered
    private lazy var timer = LoopTimer(target: self)

    init(listener: Listener, peer: ConnectionPeer) { (self.listener, self.peer) = (listener, peer) }

    /// Of all streams, what the client's kernel does not have; one system call.
    var unsentBytes: Int { context?.channel.unsentBytes ?? 0 }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        listener.opened(self)
        startClock(listener.limits.headerTime)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        // Ends the streams; the end of the last one starts the clock.
        context.fireChannelInactive()
        listener.timers.cancel(timer)
        listener.closed(self)
        listener.outbox.turnEnded()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        listener.outbox.turnEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.fireChannelWritabilityChanged()
        listener.outbox.turnEnded()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? NIOHTTP2WindowUpdatedEvent, let size = event.outboundWindowSize {
            if event.streamID == .rootStream { window = size } else { streams[event.streamID]?.windowChanged(to: size) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The encoder's table has entries now that the client never gets: all later fields would be decoded to others, which
        // is an error of the connection (RFC 9113, section 4.3).
        if error is NIOHTTP2Errors.UnableToSerializeFrame { sayGoodbye(upTo: lastStream, .internalError) }
        // Of a stream alone, which is reset by now; their types do not tell the two kinds apart.
        guard hasFailed else { return context.fireErrorCaught(error) }
        cut()
    }

    // MARK: Streams

    /// Builds the pipeline of a stream that the client has opened.
    func configure(_ channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        let id = try options.getOption(HTTP2StreamChannelOptions.streamID)
        let stream = HTTP2Stream(id, of: self)
        streams[id] = stream
        lastStream = max(lastStream, id)
        listener.timers.cancel(timer)
        let connection = ConnectionHandler(listener: listener, peer: peer, stream: stream)
        // Whether it has a pace is not known yet.
        paceChanged()
        try channel.pipeline.syncOperations.addHandlers(connection.wire, HTTP2StreamCodec(), connection)
    }

    func streamClosed(_ stream: HTTP2Stream) {
        streams[stream.id] = nil
        guard streams.isEmpty else { return paceChanged() }
        if isDraining { leave() } else { startClock(listener.limits.keepaliveTime) }
    }

    /// The socket is filled for all streams: it is kept short as long as none of them needs more.
    func paceChanged() {
        let limit = streams.values.allSatisfy(\.isMetered) ? UnsentLimit.metered : UnsentLimit.unmetered
        guard limit != unsentLimit else { return }
        unsentLimit = limit
        // A unix socket has no such option, and knows a reader that does not read without it.
        try? context?.channel.syncOptions?.setOption(UnsentLimit.option, value: limit.bytes)
    }

    // MARK: Its end

    /// Tells the client that the connection will be of no use, and closes it (RFC 9113, section 6.8).
    private func leave() {
        guard let context, !isLeaving else { return }
        isLeaving = true
        sayGoodbye(upTo: lastStream)
        // The last frame of the last stream may be on its way to the socket only now.
        context.eventLoop.assumeIsolated().execute { [self] in
            if context.channel.heldBytes == 0 { context.close(promise: nil) } else { reset() }
        }
    }

    /// Closes without what the kernel still holds for a client that does not read.
    private func reset() {
        if let socket = context?.channel as? any SocketOptionProvider {
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        cut()
    }

    private func sayGoodbye(upTo stream: HTTP2StreamID, _ code: HTTP2ErrorCode = .noError) {
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: stream, errorCode: code, opaqueData: nil))
        context?.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    private func startClock(_ time: Duration) { listener.timers.set(timer, at: listener.clock() + time) }
}

extension HTTP2Connection: ClientConnection {
    /// Requests that are on their way when they learn of it are refused, and none is lost without a word.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        if streams.isEmpty { leave() } else { sayGoodbye(upTo: .maxID) }
    }

    func cut() {
        if let cipher = peer.cipher { cipher.cut() } else { context?.close(promise: nil) }
    }
}

extension HTTP2Connection: NIOHTTP2FrameDelegate {
    /// A frame goes out: what is in it has passed the windows.
    func wroteFrame(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data(let data): streams[frame.streamID]?.wrote(data.data.readableBytes)
        case .goAway(_, let code, _): hasFailed = hasFailed || code != .noError
        default: break
        }
    }
}

extension HTTP2Connection: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if streams.isEmpty { leave() }
    }
}
