import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// The end of the pipeline at the socket: says whether the client takes what it is given.
///
/// The channel's water marks are set to one byte, so the channel is writable exactly while it holds nothing: what the
/// socket does not take at once counts as offered and not taken, and until it is taken nothing more is handed over. So a
/// channel never holds more than one batch (``BatchSize/maximum``) and the head before it.
///
/// Responses of HTTP/1.1 enter here as bytes. Where no others wait before them they go to the socket from here (``send(_:)``), and
/// the channel gets what that does not take. What is received goes from here to the connection, past the pipeline.
final class WireHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private var context: ChannelHandlerContext?
    /// Until the channel is gone; both stand in its pipeline.
    ///
    /// Strong, because a weak reference costs 3 % on live streams.
    private var connection: ConnectionHandler?
    private let outbox: Outbox
    /// Whether something was written and not flushed yet, or sent and the connection not told so.
    private(set) var isStaged = false
    /// Whether the channel holds some of that.
    private var isQueued = false
    private var isFlushing = false
    /// The channel's own word, kept here because asking it takes three calls.
    private var isWritable = true
    /// Body bytes among what was written and not flushed yet.
    private(set) var stagedBodyBytes = 0
    /// All bytes that went through here since the connection began.
    private var passed = 0
    private var socket: NIOBSDSocket.Handle?
    /// What is between this and the socket; `nil` without TLS.
    private let cipher: TLSOutboundTap?
    /// Whether the channel is to read, and is not let do so before the connection has read what it has.
    private var isReadHeld = false
    /// What came before it was clear which protocol the client speaks; `nil` once it is.
    private var opening: ByteBuffer?

    /// - Parameters:
    ///   - outbox: The loop's.
    ///   - cipher: What is between this and the socket; `nil` without TLS.
    ///   - mayBeHTTP2: Whether HTTP/1.1 is spoken only once the first bytes say so.
    init(outbox: Outbox, cipher: TLSOutboundTap? = nil, mayBeHTTP2: Bool = false) {
        (self.outbox, self.cipher) = (outbox, cipher)
        opening = mayBeHTTP2 ? ByteBuffer() : nil
    }

    /// Whether it is still to be seen which protocol the client speaks.
    var awaitsProtocol: Bool { opening != nil }

    func attach(_ connection: ConnectionHandler) { self.connection = connection }

    /// Whether the socket has taken all that was flushed.
    var isDrained: Bool { isStaged || isWritable }

    /// All bytes of the connection that were handed to the channel, as they go on the wire.
    ///
    /// With TLS those that wait for the next flush are not among them: they have no size yet.
    var written: Int { cipher?.written ?? passed }

    /// Of all bytes written since the connection began, those that the client's kernel has; one system call.
    var taken: Int { written - (context?.channel.unsentBytes ?? 0) }

    /// Of all bytes written, those that the channel holds.
    var pendingBytes: Int { context?.channel.heldBytes ?? 0 }

    /// Sends bytes as they go on the wire past the channel, whose way costs as much again as the system call.
    ///
    /// Not where something is in front of them, nor where TLS makes other bytes of them. What goes wrong is left for
    /// the channel to find out.
    ///
    /// - Parameter buffer: What the socket took is read off it.
    /// - Returns: Whether that was all.
    func send(_ buffer: inout ByteBuffer) -> Bool {
        guard !isQueued, isWritable, cipher == nil, let context, context.channel.isActive,
            let socket = socket(of: context.channel)
        else { return false }
        let sent = buffer.withUnsafeReadableBytes { bytes in
            Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        guard sent > 0 else { return false }
        stage()
        passed += sent
        buffer.moveReaderIndex(forwardBy: sent)
        return buffer.readableBytes == 0
    }

    /// The channel's own; its number is another's once the channel is not active any more.
    private func socket(of channel: any Channel) -> NIOBSDSocket.Handle? {
        if let socket { return socket }
        socket = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { $0 }
        return socket
    }

    /// Writes bytes as they go on the wire; `flush()` or the end of the turn sends them.
    ///
    /// - Parameters:
    ///   - buffer: The bytes.
    ///   - bodyBytes: How many of them are of a body.
    func write(_ buffer: ByteBuffer, bodyBytes: Int) {
        guard let context else { return }
        stage()
        isQueued = true
        stagedBodyBytes += bodyBytes
        passed += buffer.readableBytes
        context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }

    /// Sends what was written.
    func flush() {
        guard let context, isStaged else { return }
        isStaged = false
        guard isQueued else { return }
        isQueued = false
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
        (isStaged, isQueued) = (false, false)
        isWritable = false
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if opening != nil { return opened(with: unwrapInboundIn(data), context) }
        connection?.received(unwrapInboundIn(data))
    }

    /// One read beyond the request that is being answered at most: the rest is left to TCP.
    func read(context: ChannelHandlerContext) {
        isReadHeld = !(connection?.takesBytes ?? true)
        if !isReadHeld { context.read() }
    }

    /// The connection takes bytes again.
    func readOn() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    /// The first bytes, until it is clear what they are.
    private func opened(with bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        opening?.writeImmutableBuffer(bytes)
        guard let opening, let connection else { return }
        switch connection.takesHTTP2 ? HTTP2Preface.match(opening) : .no {
        case .partly: connection.bytesArrived()
        case .whole:
            self.opening = nil
            connection.speakHTTP2(after: opening)
        case .no: speakHTTP1()
        }
    }

    /// Hands on what was held back to see what it is.
    func speakHTTP1() {
        guard let opening else { return }
        self.opening = nil
        if opening.readableBytes > 0 { connection?.received(opening) }
    }

    /// Hands on what a client of HTTP/2 began with to whoever stands behind this by now.
    func handOn(_ bytes: ByteBuffer) { context?.fireChannelRead(wrapInboundOut(bytes)) }

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
