import Flow
import HTTPText
import NIOCore
import NIOHTTP1
import NIOTLS

/// One client connection of HTTP/1.1: performs what ``RequestCycle`` decides.
///
/// Its requests are read from bytes in `ConnectionHandler+Requests.swift`; HTTP/2 has ``HTTP2Connection``.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    /// How long a client may send after a response that closes the connection; nginx: `lingering_timeout 5s`.
    private static let lingeringTime: Int64 = 5_000_000_000

    let outbox: Outbox
    let wire: WireHandler
    let services: ConnectionServices
    var peer: ConnectionPeer
    private(set) var context: ChannelHandlerContext?
    var cycle = RequestCycle()
    /// What was received of HTTP/1.1.
    var requests: RequestBuffer
    /// A request that was read and has not been dispatched.
    var arrived: Request?
    /// Of the request that arrived last; it replaces another only after that one's end.
    var body: RequestBody?
    private var writer: ResponseWriter?
    /// Of the response that is ending, if it is over only then; `nil` once the connection has failed.
    private var acknowledgement: EndAcknowledgement?
    private var deadline = Deadline()

    init(services: ConnectionServices, peer: ConnectionPeer) {
        self.services = services
        self.peer = peer
        outbox = services.outbox
        requests = RequestBuffer(limit: services.limits.maximumHeaderBytes)
        wire = WireHandler(
            outbox: services.outbox, cipher: peer.cipher,
            // With TLS the handshake decides, which may have a newer configuration.
            mayBeHTTP2: peer.cipher != nil || services.limits.maximumStreams != nil)
        wire.attach(self)
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        services.opened(self)
        setDeadline(services.limits.headerTime)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if cycle.state == .receiving, requests.hasBegunHead { faultArrived(.malformed) }
        closed()
        let delegate = writer?.detach(), isTaken = acknowledgement.take() != nil
        writer = nil
        body?.drop()
        body = nil
        if isTaken { delegate?.responseFinished() } else { delegate?.responseClosed() }
        outbox.turnEnded()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard case .handshakeCompleted(let chosen)? = event as? TLSUserEvent else { return }
        peer.certificate = ServerTLS.clientCertificate(of: context.channel)
        if chosen == "h2" { speakHTTP2(after: ByteBuffer()) } else { setDeadline(services.limits.headerTime) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is IOError {
            // The socket is still open, and its count of what was acknowledged exact, even after a reset.
            lookForAcknowledgement()
            acknowledgement = nil
        }
        context.close(promise: nil)
    }

    /// The connection, or its part as one of HTTP/1.1, is over.
    func closed() {
        cycle.closed()
        deadline.cancel(in: services.timers)
        services.closed(self)
    }

    // MARK: Time

    func setDeadline(_ time: Duration) {
        deadline.set(services.clock() + time, for: self, in: services.timers)
    }

    func clearDeadline() { deadline.clear() }

    // MARK: Requests

    /// Passes the request to the handler, if the client has taken the response before it.
    func dispatch() {
        guard cycle.state == .receiving, wire.isDrained, let request = arrived.take() else { return }
        cycle.dispatched()
        let body = body
        let writer = ResponseWriter(
            connection: self, framing: ResponseFraming(for: request, keepsAlive: cycle.isPersistent))
        self.writer = writer
        services.handler.requestArrived(request, body: body ?? services.emptyBody, writer: writer)
        body?.wasPassedOn()
    }

    /// Continues in another turn of the loop: calls from the end of the response before would nest without a bound.
    private func continueLater() {
        context?.eventLoop.assumeIsolated().execute { [self] in
            dispatch()
            readRequests()
            wire.continueReading()
            outbox.turnEnded()
        }
    }

    func faultArrived(_ fault: RequestFault) {
        requests.discard()
        switch cycle.faultArrived() {
        case .answered: answer(fault)
        case .inBody: body?.fail(.malformed)
        case .ignored: break
        }
    }

    private func answer(_ fault: RequestFault) {
        clearDeadline()
        arrived = nil
        let writer = ResponseWriter(connection: self, framing: .ofFault)
        self.writer = writer
        services.handler.faultArrived(fault, peer: peer.address.text, writer: writer)
        outbox.turnEnded()
    }

    // MARK: From the response writer and the wire

    /// Whether another request may follow the one that is being answered.
    var mayKeepAlive: Bool { !services.isDraining && body?.isWhole ?? true }

    /// Body bytes that may be written now.
    var room: Int { outbox.room(for: wire) }

    /// Writes bytes of a body.
    func write(_ bytes: UnsafeRawBufferPointer, isChunked: Bool) {
        outbox.append(bytes, for: wire, isChunked: isChunked)
    }

    /// Writes a chunk of a body that is chunked.
    func write(_ chunk: WholeChunk) { outbox.append(chunk, for: wire) }

    func responseEnded(_ end: ResponseEnd) {
        guard cycle.responseEnded(end) else { return }
        if body?.isWanted ?? false { body?.drop() }
        setDeadline(services.limits.keepaliveTime)
        // A response that wrote nothing in this turn would not be visited at its end.
        if !wire.isStaged { outbox.staged(wire) }
    }

    /// The socket took everything that was written.
    func drained() {
        switch cycle.state {
        case .responding: writer?.delegate?.responseCaughtUp()
        case .ending(let end): if isAcknowledged() { responseTaken(end) }
        case .waiting, .receiving: if arrived != nil { continueLater() }
        case .lingering, .closed: break
        }
    }

    /// The turn ended and the socket has not taken everything.
    func blocked() {
        switch cycle.state {
        case .responding, .ending: writer?.delegate?.responseBlocked()
        case .waiting, .receiving, .lingering, .closed: break
        }
    }

    /// Looks whether the end of a response has been acknowledged, if that is awaited.
    func lookForAcknowledgement() {
        if acknowledgement != nil { drained() }
    }

    /// Whether the response that is ending needs no further acknowledgement; else it is looked for again later, until the client
    /// counts as gone.
    private func isAcknowledged() -> Bool {
        let before = acknowledgement.take(), now = services.clock()
        // A client that has sent the next request is there, and its response must not wait for an acknowledgement.
        guard let writer, writer.awaitsAcknowledgement, requests.isEmpty else { return true }
        var wait = before ?? EndAcknowledgement(of: wire.written, within: services.limits.keepaliveTime, at: now)
        let look = wait.look(at: wire.taken, now)
        guard look != .whole else { return true }
        acknowledgement = wait
        guard case .partial(let next) = look else {
            abort()
            return false
        }
        deadline.set(next, for: self, in: services.timers)
        if before == nil { handedOver(writer) }
        return false
    }

    /// The socket has taken the end of a response that is not over yet.
    private func handedOver(_ writer: ResponseWriter) {
        // A client that waits for the close must not wait for its own acknowledgement.
        if cycle.state == .ending(.closes) { context?.close(mode: .output, promise: nil) }
        writer.delegate?.responseHandedOver()
    }

    private func responseTaken(_ end: ResponseEnd) {
        let delegate = writer?.detach()
        writer = nil
        switch cycle.responseTaken(end, hasBytes: !requests.isEmpty) {
        case .request(let isPending):
            setDeadline(services.limits.keepaliveTime)
            if isPending {
                bytesArrived()
                continueLater()
            }
        case .linger: linger()
        case .close: wire.close()
        case .cut: wire.cut()
        }
        delegate?.responseFinished()
        if services.isDraining { drain() }
    }

    /// Closes at once with a reset.
    func abort() {
        acknowledgement = nil
        wire.abort()
    }

    private func linger() {
        requests.discard()
        body?.drop()
        wire.continueReading()
        setDeadline(.nanoseconds(Self.lingeringTime))
        context?.close(mode: .output, promise: nil)
    }
}

extension ConnectionHandler: ClientConnection {
    func drain() {
        if cycle.state == .waiting { wire.close() }
    }

    func cut() { wire.cut() }
}

extension ConnectionHandler: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        guard deadline.hasPassed(at: now, in: services.timers) else { return }
        guard acknowledgement == nil else { return lookForAcknowledgement() }
        switch cycle.deadlinePassed(hasRequest: arrived != nil) {
        case .rejectsHead:
            wire.speakHTTP1()
            faultArrived(.headTooSlow)
        case .closes: wire.close()
        case .ignored: break
        }
    }
}

extension ConnectionHandler: RequestBodySource {
    var timers: LoopTimers { services.timers }
    var clock: () -> Instant { services.clock }

    /// Whether the socket is read: a body that cannot be requested yet is left to TCP.
    func setReading(_ reads: Bool) { wire.setReading(reads) }

    func sendContinue() {
        guard writer?.hasHead == false else { return }
        outbox.appendHead(.continue, in: .http1_1, headers: HTTPHeaders(), for: wire)
    }
}
