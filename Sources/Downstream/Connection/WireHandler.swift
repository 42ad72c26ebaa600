import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// The end of the pipeline at the socket: reports whether the client takes what was written.
///
/// The channel's water marks are one byte, so the channel is writable exactly while it holds nothing: what the socket does not
/// take at once counts as offered and not taken, and until it is taken nothing more is written. So a channel never holds more
/// than one batch (``BatchSize/maximum``) and the head before it.
///
/// Responses of HTTP/1.1 enter here as bytes. If the channel holds nothing they go to the socket from here (``send(_:)``), and
/// the channel gets what that does not take. What is received goes from here to the connection, past the pipeline.
final class WireHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private var context: ChannelHandlerContext?
    /// Until the channel is gone; both are in its pipeline.
    ///
    /// Strong, because a weak reference costs 3 % on live streams.
    private var connection: ConnectionHandler?
    private let outbox: Outbox
    private var writes = WriteProgress()
    private var socket: NIOBSDSocket.Handle?
    /// Between this and the socket; `nil` without TLS.
    private let cipher: TLSOutboundTap?
    private var unsentLimit = UnsentLimit()
    /// Whether the channel reads the socket.
    private(set) var isReading = true
    /// Whether the channel wants to read, and must wait until the connection has read what it has.
    private var isReadDeferred = false
    /// What was received before the client's protocol was known; `nil` once it is.
    private var opening: ByteBuffer?

    /// - Parameters:
    ///   - outbox: The loop's.
    ///   - cipher: Between this and the socket; `nil` without TLS.
    ///   - mayBeHTTP2: Whether the first bytes decide between HTTP/1.1 and HTTP/2.
    init(outbox: Outbox, cipher: TLSOutboundTap? = nil, mayBeHTTP2: Bool = false) {
        (self.outbox, self.cipher) = (outbox, cipher)
        opening = mayBeHTTP2 ? ByteBuffer() : nil
    }

    func attach(_ connection: ConnectionHandler) { self.connection = connection }

    // MARK: Writing

    /// Whether something was written and not flushed, or sent and the connection not notified.
    var isStaged: Bool { writes.isStaged }

    /// Whether the socket has taken everything that was flushed.
    var isDrained: Bool { writes.isDrained }

    /// Body bytes among those that were written and not flushed.
    var stagedBodyBytes: Int { writes.stagedBodyBytes }

    /// All bytes of the connection that were written to the channel, as they go on the wire.
    ///
    /// With TLS those that wait for the next flush are not among them: they have no size yet.
    var written: Int { cipher?.written ?? writes.total }

    /// Of all bytes written since the connection began, those that the client's kernel has; one system call.
    var taken: Int { written - (context?.channel.unsentBytes ?? 0) }

    /// Of all bytes written, those that the channel holds.
    var pendingBytes: Int { context?.channel.bufferedBytes ?? 0 }

    /// Sends bytes as they go on the wire past the channel, whose path costs as much again as the system call.
    ///
    /// Not if other bytes come before them, nor with TLS, which encrypts them. Errors are left for the channel to find.
    ///
    /// - Returns: The bytes that the socket took.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard writes.canBypassChannel, cipher == nil, let channel = context?.channel, channel.isActive,
            let socket = socket(of: channel)
        else { return 0 }
        let sent = Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        guard sent > 0 else { return 0 }
        stage()
        writes.sent(sent)
        return sent
    }

    /// The channel's own; the number may be another socket's once the channel is not active any more.
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
        writes.queued(buffer.readableBytes, bodyBytes: bodyBytes)
        context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }

    /// Sends what was written.
    func flush() {
        guard let context, writes.isStaged, writes.flushBegan() else { return }
        context.flush()
        writes.flushEnded()
    }

    private func stage() {
        if writes.stage() { outbox.staged(self) }
    }

    /// The turn is over: sends, and reports to the connection whether the client takes it.
    func turnEnded() {
        flush()
        if isDrained { connection?.drained() } else { connection?.blocked() }
    }

    // MARK: The socket

    /// Sets how much the kernel takes for the client (``UnsentLimit``).
    func expectPace(_ isMetered: Bool) { unsentLimit.set(isMetered: isMetered, on: context?.channel) }

    /// Reads the socket, or leaves what arrives to TCP.
    func setReading(_ reads: Bool) {
        guard reads != isReading else { return }
        isReading = reads
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    func close() {
        context?.close(promise: nil)
    }

    /// Closes at once; with TLS without `close_notify`, which would mark the response as complete (RFC 9112, section 9.8).
    func cut() {
        if let cipher { cipher.cut() } else { close() }
    }

    /// Closes at once with a reset: what was written and not taken is dropped, in the kernel as well.
    func abort() {
        context?.channel.resetWhenClosed()
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
        writes.closed()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if opening != nil { return opened(with: unwrapInboundIn(data), context) }
        connection?.received(unwrapInboundIn(data))
    }

    /// At most one read beyond the request that is being answered: the rest is left to TCP.
    func read(context: ChannelHandlerContext) {
        isReadDeferred = !(connection?.takesBytes ?? true)
        if !isReadDeferred { context.read() }
    }

    /// The connection takes bytes again.
    func continueReading() {
        guard isReadDeferred else { return }
        isReadDeferred = false
        context?.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        outbox.turnEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard writes.writabilityChanged(to: context.channel.isWritable) else { return }
        connection?.drained()
        outbox.turnEnded()
    }

    // MARK: The protocol

    /// The first bytes, until they show the protocol.
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

    /// Passes on what was kept until the protocol was known.
    func speakHTTP1() {
        guard let opening else { return }
        self.opening = nil
        if opening.readableBytes > 0 { connection?.received(opening) }
    }

    /// Passes the first bytes of a client of HTTP/2 to the handler that is after this one by now.
    func passOn(_ bytes: ByteBuffer) { context?.fireChannelRead(wrapInboundOut(bytes)) }
}
