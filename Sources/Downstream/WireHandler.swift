import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// The end of the pipeline at the socket: says whether the client takes what it is given.
///
/// The channel's water marks are set to one byte, so the channel is writable exactly while it holds nothing: what the
/// socket does not take at once counts as offered and not taken, and until it is taken nothing more is handed over. So a
/// channel never holds more than one batch (``Outbox/capacity``) and the head in front of it.
///
/// Body bytes enter here, past NIO's encoder, already framed: the encoder makes three buffers and three writes of a chunk.
final class WireHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private var context: ChannelHandlerContext?
    /// Until the channel is gone; both stand in its pipeline.
    ///
    /// Strong, because a weak reference costs 3 % on live streams.
    private var connection: ConnectionHandler?
    private let outbox: Outbox
    /// Whether something was written and not flushed yet.
    private(set) var isStaged = false
    private var isFlushing = false
    /// The channel's own word, kept here because asking it takes three calls.
    private var isWritable = true
    /// Body bytes among what was written and not flushed yet.
    private(set) var stagedBodyBytes = 0
    /// All bytes that went through here since the connection began.
    private var passed = 0
    /// What is between this and the socket; `nil` without TLS.
    private let cipher: CipherEnd?

    init(outbox: Outbox, cipher: CipherEnd? = nil) { (self.outbox, self.cipher) = (outbox, cipher) }

    func attach(_ connection: ConnectionHandler) { self.connection = connection }

    /// Whether the socket has taken all that was flushed.
    var isDrained: Bool { isStaged || isWritable }

    /// All bytes of the connection that were handed to the channel, as they go on the wire.
    ///
    /// With TLS those that wait for the next flush are not among them: they have no size yet.
    var written: Int { cipher?.written ?? passed }

    /// Of all bytes written since the connection began, those that the client's kernel has; one system call.
    var taken: Int { written - (context?.channel.unsentBytes ?? 0) }

    /// Writes bytes as they go on the wire; `flush()` or the end of the turn sends them.
    func write(_ buffer: ByteBuffer) {
        guard let context else { return }
        stage()
        stagedBodyBytes += buffer.readableBytes
        passed += buffer.readableBytes
        context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }

    /// Sends what was written.
    func flush() {
        guard let context, isStaged else { return }
        isStaged = false
        stagedBodyBytes = 0
        isFlushing = true
        context.flush()
        isFlushing = false
    }

    func close() {
        context?.close(promise: nil)
    }

    /// Closes at once: with TLS without its farewell, which says that nothing was cut off (RFC 9112, section 9.8).
    func cut() {
        if let cipher { cipher.cut() } else { close() }
    }

    /// Closes with a reset: what the kernel still holds for the client is dropped as well.
    ///
    /// After a plain close the kernel goes on offering it, to a client that does not read for minutes, and that long
    /// the client does not learn that its stream has ended.
    func reset() {
        if let socket = context?.channel as? any SocketOptionProvider {
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        cut()
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        outbox.forget(self)
        isStaged = false
        isWritable = false
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection?.bytesArrived()
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        outbox.turnEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        // Our own writes toggle it on the way; only the socket's is news.
        guard !isFlushing, !isStaged, isWritable else { return }
        connection?.drained()
        outbox.turnEnded()
    }

    // MARK: Heads and ends, from the encoder

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        stage()
        passed += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    /// Everything is flushed once a turn, by the outbox.
    func flush(context: ChannelHandlerContext) {}

    private func stage() {
        guard !isStaged else { return }
        isStaged = true
        outbox.staged(self)
    }

    /// The turn is over: sends, and tells the connection where it stands.
    func turnEnded() {
        flush()
        if isDrained { connection?.drained() } else { connection?.heldUp() }
    }
}
