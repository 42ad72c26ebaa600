import Flow
import NIOCore

/// One client connection that carries many requests, each on a stream of its own (RFC 9113).
///
///     socket ─ TLS ─ HTTP2Connection ─ HTTP2Session (libnghttp2) ─┬─ HTTP2Stream ─ RequestHandler
///                                                                 └─ …
///
/// What arrives is read by the session, which calls the functions of `HTTP2Connection+Session.swift`; they take note, and
/// what follows is done after it has returned. What streams write is collected for the whole turn (``Outbox``), framed as far
/// as windows allow, and handed to the channel one batch at a time: the next is framed only when the socket has taken that.
final class HTTP2Connection: ChannelInboundHandler, StagedConnection {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The most that is framed at once, as for HTTP/1.1.
    private static let batchSize = BatchSize.maximum
    /// Resets and other frames that may wait for a client that does not read, beyond one head for each stream.
    private static let maximumWaitingFrames = 1000
    /// A smaller batch goes to a socket as a copy of its own, so that a client that does not take it holds no large buffer.
    private static let smallBatch = 4 << 10

    /// For a client that chose HTTP/2 just before that was switched off (RFC 9113, section 6.5.2: no fewer).
    private static let standardStreams = 100

    let services: ConnectionServices
    /// The loop's.
    let buffers: HTTP2Buffers
    let peer: ConnectionPeer
    private(set) var context: ChannelHandlerContext?
    /// `nil` once the connection has ended.
    private(set) var session: HTTP2Session?
    /// Those whose response has not ended or has not been taken.
    var streams: [Int32: HTTP2Stream] = [:]
    /// The stream whose fields are arriving.
    var receiving: HTTP2Stream?
    /// Requests that have arrived and have not been handed on.
    var arrived: [HTTP2Stream] = []
    /// Streams that the session has closed, and that do not know yet.
    var closed: [HTTP2Stream] = []
    /// Streams that have something to send, or to learn, at the end of the turn.
    private var staged: [HTTP2Stream] = []
    /// Streams that wait for the socket.
    private var blocked: [HTTP2Stream] = []
    /// Those that were staged in the turn that is ending.
    private var visited: [HTTP2Stream] = []
    private var isStaged = false
    private var isFlushing = false
    /// The channel's own word, kept here because asking it takes three calls.
    private(set) var isWritable = true
    private var maximumStreams = 0
    var abuse: HTTP2AbuseLimits
    var isDraining = false
    var isLeaving = false
    /// Why the connection is ended for what its client sent.
    var fault: String?
    /// Whether weir ends it at once for that, and not the session.
    var isTerminated = false
    /// Streams whose records leave at no pace.
    private var unmeteredStreams = 0
    private var unsentLimit = UnsentLimit()
    lazy var timer = LoopTimer(target: self)
    /// When the connection's time is up; the timer may fire earlier and is then set anew.
    var deadline = Instant.distantFuture

    private init(services: ConnectionServices, buffers: HTTP2Buffers, peer: ConnectionPeer) {
        (self.services, self.buffers, self.peer) = (services, buffers, peer)
        abuse = HTTP2AbuseLimits(at: services.clock())
    }

    /// Has a connection speak HTTP/2 from here on.
    ///
    /// - Parameters:
    ///   - channel: The connection's; TLS, if there is any, has completed its handshake.
    ///   - services: Those of its listener.
    ///   - buffers: Those of its loop.
    ///   - peer: The other end.
    /// - Throws: That the pipeline is gone, or that there is no memory.
    static func add(
        to channel: any Channel, services: ConnectionServices, buffers: HTTP2Buffers, peer: ConnectionPeer
    ) throws {
        let connection = HTTP2Connection(services: services, buffers: buffers, peer: peer)
        try channel.pipeline.syncOperations.addHandler(connection)
        try connection.start(maximumStreams: services.limits.maximumStreams ?? standardStreams)
    }

    /// Makes the session.
    ///
    /// - Parameter maximumStreams: Requests at a time.
    /// - Throws: That there is no memory for it.
    private func start(maximumStreams: Int) throws {
        self.maximumStreams = maximumStreams
        session = try HTTP2Session(
            of: self, maximumStreams: maximumStreams, maximumHeaderBytes: services.limits.maximumHeaderBytes.bytes)
    }

    /// Of all streams, what the client's kernel does not have; one system call.
    var unsentBytes: Int { context?.channel.unsentBytes ?? 0 }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
        services.opened(self)
        startClock(services.limits.headerTime)
        // Its settings are sent at the end of the turn, when all that came before it in the pipeline is gone.
        stage()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        services.closed(self)
        services.timers.cancel(timer)
        session?.end()
        session = nil
        isWritable = false
        (arrived, closed, staged, blocked, receiving) = ([], [], [], [], nil)
        context.fireChannelInactive()
        // A write that fails closes the channel at once, in the middle of what a stream is doing.
        guard isFlushing else { return endStreams() }
        context.eventLoop.assumeIsolated().execute { [self] in endStreams() }
    }

    private func endStreams() {
        for stream in streams.values { stream.ended(isTaken: false) }
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
        if session.waitingFrames > Self.maximumWaitingFrames + 2 * maximumStreams {
            terminate(because: "too many frames wait for the client to read")
        }
        finishClosed()
        handOnArrived()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        services.outbox.turnEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        context.fireChannelWritabilityChanged()
        // Our own writes toggle it on the way; only the socket's is news.
        guard !isFlushing, isWritable else { return }
        stage()
        services.outbox.turnEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { cut() }

    private func handOnArrived() {
        var index = 0
        while index < arrived.count {
            arrived[index].handOn()
            index += 1
        }
        arrived.removeAll(keepingCapacity: true)
    }

    private func finishClosed() {
        while !closed.isEmpty {
            let streams = closed
            closed = []
            for stream in streams { stream.ended(isTaken: false) }
        }
    }

    // MARK: The turn's end

    /// Has the end of the turn come to this connection.
    func stage() {
        guard !isStaged else { return }
        isStaged = true
        services.outbox.staged(self)
    }

    func stage(_ stream: HTTP2Stream) {
        staged.append(stream)
        stage()
    }

    /// Calls ``HTTP2Stream/settle()`` when the socket has taken what it was given.
    func block(_ stream: HTTP2Stream) { blocked.append(stream) }

    /// The turn is over: sends, and reports to each stream how far the client takes it.
    func turnEnded() {
        flush()
        finishClosed()
        if isWritable {
            for stream in blocked { stream.stage() }
            blocked = []
        }
        isStaged = false
        swap(&staged, &visited)
        for stream in visited { stream.settle() }
        visited.removeAll(keepingCapacity: true)
        applyPace()
        endIfDone()
    }

    /// Sends what streams have, as far as windows and the socket take it.
    func flush() {
        for stream in staged { stream.resume() }
        guard let session, !session.isBusy, !isFlushing, let context, context.channel.isActive else { return }
        while isWritable {
            session.output = buffers.takeOutput()
            session.output.clear(minimumCapacity: Self.smallBatch)
            defer { session.output = ByteBuffer() }
            do {
                try session.collect(upTo: Self.batchSize)
            } catch {
                return fail(error)
            }
            let output = session.output
            guard output.readableBytes > 0 else {
                buffers.giveBack(output: output)
                break
            }
            send(output, context)
            buffers.giveBack(output: output)
        }
    }

    private func send(_ output: ByteBuffer, _ context: ChannelHandlerContext) {
        // TLS makes other bytes of it at once.
        let isCopied = peer.cipher == nil && output.readableBytes <= Self.smallBatch
        isFlushing = true
        context.writeAndFlush(
            wrapOutboundOut(isCopied ? context.channel.allocator.buffer(buffer: output) : output), promise: nil)
        isFlushing = false
    }

    // MARK: Streams

    func opened(_ stream: HTTP2Stream) {
        streams[stream.id] = stream
        unmeteredStreams += 1
        deadline = .distantFuture
        session?.shareEvenly(stream.id)
    }

    func ended(_ stream: HTTP2Stream) {
        guard streams.removeValue(forKey: stream.id) != nil else { return }
        if !stream.isMetered { unmeteredStreams -= 1 }
        guard session != nil, streams.isEmpty else { return }
        if isDraining { leave() } else { startClock(services.limits.keepaliveTime) }
    }

    /// A stream's records leave at a pace, or no longer.
    func paceChanged(of stream: HTTP2Stream) {
        unmeteredStreams += stream.isMetered ? -1 : 1
        stage()
    }

    /// The socket is filled for all streams: it is kept short as long as none of them needs more.
    private func applyPace() {
        guard !streams.isEmpty else { return }
        unsentLimit.set(isMetered: unmeteredStreams == 0, on: context?.channel)
    }
}
