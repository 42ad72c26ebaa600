import Flow
import NIOCore
import NIOHTTP1
import NIOTLS

/// One client connection: one request at a time, in order, each within its time.
///
///     waiting ──first byte──▶ receiving ──head──▶ responding ──end, taken by the socket──▶ waiting | lingering ──▶ closed
///
/// A request is handed on only when the client has taken the response before it: otherwise a client that sends requests
/// and never reads would pile up answers. Requests are read from bytes here (``received(_:)``); HTTP/2 has
/// ``HTTP2Connection``.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    enum State {
        /// For the first byte of a request.
        case waiting
        /// A request's head is on its way.
        case receiving
        case responding
        /// The last response is written; its end may not have been taken yet.
        case ending(closes: Bool)
        /// The answer is out, the client may still be sending: closing now would reset the connection under the answer.
        case lingering
        case closed
    }

    /// How long a client may go on sending after an answer that closes the connection; nginx: lingering_timeout 5s.
    private static let lingeringTime: Int64 = 5_000_000_000

    let outbox: Outbox
    let wire: WireHandler
    let services: ConnectionServices
    var peer: ConnectionPeer
    private(set) var context: ChannelHandlerContext?
    var state = State.waiting
    /// What was received of HTTP/1.1.
    var requests: RequestBuffer
    /// A request that has not been handed on.
    private(set) var arrived: Request?
    /// Whether its client keeps the connection open after the response.
    private var isPersistent = false
    /// Of the request that arrived last; it takes the place of another only after that one's end.
    private(set) var body: RequestBody?
    private var hasUnreadBody = false
    private(set) var isCut = false
    private(set) var isReading = true
    private var unsentLimit = UnsentLimit.unmetered
    private var writer: ResponseWriter?
    lazy var timer = LoopTimer(target: self)
    /// When the connection's time is up; the timer may fire earlier and is then set anew.
    var deadline = Instant.distantFuture

    init(services: ConnectionServices, peer: ConnectionPeer) {
        self.services = services
        self.peer = peer
        outbox = services.outbox
        requests = RequestBuffer(limit: services.limits.maximumHeaderBytes)
        wire = WireHandler(
            outbox: services.outbox, cipher: peer.cipher,
            // Over TLS it is the handshake's word that counts, and that may know a newer configuration.
            mayBeHTTP2: peer.cipher != nil || services.limits.maximumStreams != nil)
        wire.attach(self)
    }

    /// Whether it is between two requests.
    var isIdle: Bool {
        if case .waiting = state { true } else { false }
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        services.opened(self)
        startClock(services.limits.headerTime)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .receiving = state, requests.hasBegunHead { faultArrived(.malformed) }
        state = .closed
        services.timers.cancel(timer)
        services.closed(self)
        let told = writer?.detach()
        writer = nil
        body?.drop()
        body = nil
        told?.responseClosed()
        outbox.turnEnded()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard case .handshakeCompleted(let chosen)? = event as? TLSUserEvent else { return }
        peer.certificate = ServerTLS.clientCertificate(of: context.channel)
        if chosen == "h2" { speakHTTP2(after: ByteBuffer()) } else { startClock(services.limits.headerTime) }
    }

    /// Bytes arrived, of whatever.
    func bytesArrived() {
        guard case .waiting = state else { return }
        state = .receiving
        startClock(services.limits.headerTime)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Requests

    func headArrived(_ head: HTTPRequestHead, bodyLength: RequestBodyLength, isPersistent: Bool) {
        let request = Request(
            head: head, bodyLength: bodyLength, peer: peer.address, isSecure: peer.cipher != nil,
            certificate: peer.certificate)
        arrived = request
        // What follows CONNECT may be for the tunnel.
        self.isPersistent = isPersistent && head.method != .CONNECT
        if case .waiting = state { state = .receiving }
        // Of a response before it that the client has not taken, the clock goes on.
        if case .receiving = state { stopClock() }
        hasUnreadBody = request.hasBody
        body = request.hasBody ? RequestBody(of: request, from: self) : nil
        // A body is not waited for: whether it is wanted is for the handler to say.
        if request.hasBody { dispatch() }
    }

    func endArrived(_ trailers: HTTPHeaders) {
        hasUnreadBody = false
        body?.ended(trailers: trailers)
        dispatch()
    }

    /// Hands on the request, where the client has taken the answer before it.
    private func dispatch() {
        guard let request = arrived, case .receiving = state, wire.isDrained else { return }
        arrived = nil
        state = .responding
        let head = request.head, body = body
        let writer = ResponseWriter(
            connection: self, method: head.method, version: head.version, keepsAlive: isPersistent,
            acceptsTrailers: request.acceptsTrailers)
        self.writer = writer
        services.handler.requestArrived(request, body: body ?? services.emptyBody, writer: writer)
        body?.handedOn()
    }

    /// Not now: going on from the end of the response before would nest without a bound.
    private func continueSoon() {
        context?.eventLoop.assumeIsolated().execute { [self] in
            dispatch()
            readRequests()
            wire.readOn()
            outbox.turnEnded()
        }
    }

    func faultArrived(_ fault: RequestFault) {
        requests.discard()
        switch state {
        case .waiting, .receiving: answer(fault)
        // Of the body of the request that is being answered.
        case .responding, .ending: body?.fail(.malformed)
        case .lingering, .closed: break
        }
    }

    private func answer(_ fault: RequestFault) {
        stopClock()
        arrived = nil
        state = .responding
        hasUnreadBody = true
        let writer = ResponseWriter(
            connection: self, method: .GET, version: .http1_1, keepsAlive: false)
        self.writer = writer
        services.handler.faultArrived(fault, peer: peer.address, writer: writer)
        outbox.turnEnded()
    }

    // MARK: From the response writer and the wire

    func limitUnsent(to limit: ByteCount) {
        guard limit != unsentLimit else { return }
        unsentLimit = limit
        // A unix socket has no such option, and knows a reader that does not read without it.
        try? context?.channel.syncOptions?.setOption(UnsentLimit.option, value: limit.bytes)
    }

    /// - Parameters:
    ///   - closes: Whether the connection closes behind it.
    ///   - isCut: Whether only the connection's end tells the client that something is missing.
    func responseEnded(closes: Bool, isCut: Bool = false) {
        guard case .responding = state else { return }
        state = .ending(closes: closes)
        self.isCut = isCut
        if body?.isWanted ?? false { body?.drop() }
        startClock(services.limits.keepaliveTime)
        // A response that wrote nothing in this turn would not be visited at its end.
        if !wire.isStaged { outbox.staged(wire) }
    }

    /// Whether another request may follow the one that is being answered.
    var mayLiveOn: Bool { !services.isDraining && body?.letsConnectionLive ?? true }

    /// The socket took everything that was written.
    func drained() {
        switch state {
        case .responding: writer?.delegate?.responseHasRoom()
        case .ending(let closes): responseTaken(closes: closes)
        case .waiting, .receiving: if arrived != nil { continueSoon() }
        case .lingering, .closed: break
        }
    }

    /// The turn ended and the socket has not taken everything.
    func heldUp() {
        switch state {
        case .responding, .ending: writer?.delegate?.responseIsHeldUp()
        case .waiting, .receiving, .lingering, .closed: break
        }
    }

    private func responseTaken(closes: Bool) {
        let told = writer?.detach()
        writer = nil
        if !closes {
            state = .waiting
            startClock(services.limits.keepaliveTime)
            if !requests.isEmpty {
                bytesArrived()
                continueSoon()
            }
        } else if hasUnreadBody || !requests.isEmpty && !isCut {
            linger()
        } else {
            state = .closed
            if isCut { wire.cut() } else { wire.close() }
        }
        told?.responseFinished()
        if isIdle, services.isDraining { close() }
    }

    private func linger() {
        state = .lingering
        requests.discard()
        body?.drop()
        wire.readOn()
        deadline = .distantFuture
        startClock(.nanoseconds(Self.lingeringTime))
        context?.close(mode: .output, promise: nil)
    }

    func close() { wire.close() }
}

extension ConnectionHandler: RequestBodySource {
    var timers: LoopTimers { services.timers }
    var clock: () -> Instant { services.clock }

    /// Whether the socket is read: a body that nobody could ask for yet is left to TCP.
    func setReading(_ reads: Bool) {
        guard reads != isReading else { return }
        isReading = reads
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    func sendContinue() {
        if writer?.hasHead == false { writeHead(.continue, in: .http1_1, headers: HTTPHeaders()) }
    }
}
