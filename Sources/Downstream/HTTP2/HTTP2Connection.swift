import Flow
import NIOCore

/// One client connection that carries many requests, each on a stream of its own (RFC 9113).
///
///     socket ─ TLS ─ HTTP2Connection ─ HTTP2Session (libnghttp2) ─┬─ HTTP2Stream ─ RequestHandler
///                                                                 └─ …
///
/// The session reads what arrives and calls the functions of `HTTP2Connection+Session.swift`, which record it; the consequences
/// follow after it has returned. What streams write is collected for the whole turn (``Outbox``), framed as far as windows
/// allow, and written to the channel one batch at a time: the next is framed only after the socket has taken it.
final class HTTP2Connection: ChannelInboundHandler, StagedConnection {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// For a client that chose HTTP/2 just before that was switched off (RFC 9113, section 6.5.2: no fewer).
    private static let standardStreams = 100

    let services: ConnectionServices
    /// The loop's.
    let buffers: HTTP2Buffers
    let peer: ConnectionPeer
    private(set) var context: ChannelHandlerContext?
    /// `nil` once the connection has ended.
    private(set) var session: HTTP2Session?
    var streams = HTTP2StreamTable()
    var ending: HTTP2Ending
    private var isStaged = false
    private var isFlushing = false
    /// As the channel reported it last: a call to the channel costs three.
    private(set) var isWritable = true
    private var unsentLimit = UnsentLimit()
    /// All bytes that were written to the channel.
    private var plainBytes = 0
    private(set) var deadline = Deadline()

    private init(services: ConnectionServices, buffers: HTTP2Buffers, peer: ConnectionPeer) {
        (self.services, self.buffers, self.peer) = (services, buffers, peer)
        ending = HTTP2Ending(at: services.clock())
    }

    /// Makes a connection one of HTTP/2.
    ///
    /// - Parameters:
    ///   - channel: The connection's; TLS, if there is any, has completed its handshake.
    ///   - services: Those of its listener.
    ///   - buffers: Those of its loop.
    ///   - peer: The client.
    /// - Throws: That the pipeline is gone, or that there is no memory.
    static func add(
        to channel: any Channel, services: ConnectionServices, buffers: HTTP2Buffers, peer: ConnectionPeer
    ) throws {
        let connection = HTTP2Connection(services: services, buffers: buffers, peer: peer)
        try channel.pipeline.syncOperations.addHandler(connection)
        connection.session = try HTTP2Session(
            of: connection, maximumStreams: services.limits.maximumStreams ?? standardStreams,
            maximumHeaderBytes: services.limits.maximumHeaderBytes.bytes)
    }

    private func setDeadline(_ time: Duration) {
        deadline.set(services.clock() + time, for: self, in: services.timers)
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
        services.opened(self)
        setDeadline(services.limits.headerTime)
        // Its settings are sent at the end of the turn, when the handlers that it replaces have left the pipeline.
        stage()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        services.closed(self)
        deadline.cancel(in: services.timers)
        session?.end()
        session = nil
        isWritable = false
        streams.closed()
        context.fireChannelInactive()
        // A write that fails closes the channel at once, in the middle of what a stream is doing.
        guard isFlushing else { return endStreams() }
        context.eventLoop.assumeIsolated().execute { [self] in endStreams() }
    }

    private func endStreams() {
        for stream in streams.all { stream.connectionClosed() }
        services.outbox.turnEnded()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session else { return }
        stage()
        do {
            try session.receive(unwrapInboundIn(data))
        } catch {
            return fail(error)
        }
        if session.hasTooManyWaitingFrames { terminate(because: "too many frames wait for the client to read") }
        endFinished()
        dispatchArrived()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        services.outbox.turnEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        context.fireChannelWritabilityChanged()
        // weir's own writes change it too, which means nothing.
        guard !isFlushing, isWritable else { return }
        stage()
        services.outbox.turnEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is IOError {
            // The socket is still open, and its count of what was acknowledged exact, even after a reset.
            for stream in streams.all { stream.connectionFailed() }
        }
        cut()
    }

    /// Passes the requests that have arrived to the handler; more may arrive meanwhile.
    private func dispatchArrived() {
        var index = 0
        while let stream = streams.arrived(at: index) {
            stream.dispatch()
            index += 1
        }
        streams.dispatched()
    }

    private func endFinished() {
        while case let finished = streams.takeFinished(), !finished.isEmpty {
            for stream in finished { stream.ended(isTaken: false) }
        }
    }

    // MARK: The end of the turn

    /// Has this connection called at the end of the turn.
    func stage() {
        guard !isStaged else { return }
        isStaged = true
        services.outbox.staged(self)
    }

    func stage(_ stream: HTTP2Stream) {
        streams.stage(stream)
        stage()
    }

    /// The turn is over: sends, and reports to each stream how far the client takes it.
    func turnEnded() {
        flush()
        endFinished()
        if isWritable {
            for stream in streams.takeBlocked() { stream.stage() }
        }
        isStaged = false
        for stream in streams.beginVisit() { stream.settle() }
        streams.endVisit()
        // The socket is filled for all streams: its limit is low as long as none of them needs more.
        if !streams.isEmpty { unsentLimit.set(isMetered: streams.isMetered, on: context?.channel) }
        endIfDone()
    }

    /// Sends what streams have, as far as windows and the socket take it.
    func flush() {
        for stream in streams.staged { stream.resume() }
        guard let session, !session.isBusy, !isFlushing, let context, context.channel.isActive else { return }
        do throws(HTTP2Session.Failure) {
            while isWritable, let output = try session.nextBatch(in: buffers) {
                send(output, context)
                buffers.giveBack(output: output)
            }
        } catch {
            fail(error)
        }
    }

    private func send(_ output: ByteBuffer, _ context: ChannelHandlerContext) {
        // A client that does not take a small batch must not occupy a large buffer. TLS copies it anyway.
        let isCopied = peer.cipher == nil && output.readableBytes <= HTTP2Buffers.smallBatch
        isFlushing = true
        plainBytes += output.readableBytes
        context.writeAndFlush(
            wrapOutboundOut(isCopied ? context.channel.allocator.buffer(buffer: output) : output), promise: nil)
        isFlushing = false
    }

    /// All bytes that were written to the channel, as they go on the wire.
    var written: Int { peer.cipher?.written ?? plainBytes }

    /// Of these, those that the client's kernel has acknowledged; one system call.
    var acknowledged: Int { written - (context?.channel.unsentBytes ?? 0) }

    // MARK: Streams

    func opened(_ stream: HTTP2Stream) {
        streams.add(stream)
        deadline.clear()
        session?.shareEvenly(stream.id)
    }

    func ended(_ stream: HTTP2Stream) {
        guard streams.remove(stream), session != nil, streams.isEmpty else { return }
        if ending.isDraining { leave() } else { setDeadline(services.limits.keepaliveTime) }
    }
}
