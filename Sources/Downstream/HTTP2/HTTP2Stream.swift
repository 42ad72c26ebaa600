import Flow
import NIOCore
import NIOHTTP1

/// One request of an HTTP/2 connection and its response.
///
///     idle ──head──▶ open ──end──▶ ended ──END_STREAM or RST_STREAM, taken by the socket──▶ over
///
/// What the response is given in a turn is kept here until windows and the socket let it go, at most one batch: there is no
/// ``room`` before it has gone. The client's window is its pace: a closed one is a client that does not read this stream,
/// whatever it reads of the others.
final class HTTP2Stream {
    enum State { case idle, open, ended }

    let id: Int32
    let services: ConnectionServices
    let buffers: HTTP2Buffers
    /// Until the stream is over.
    private(set) var connection: HTTP2Connection?

    // The request.
    private var fields: HTTP2RequestHead?
    private var request: Request?
    private var fault: RequestFault?
    private var body: RequestBody?
    private var requestTrailers = HTTPHeaders()
    private var hasRequest = false
    private(set) var hasRequestEnded = false
    private var isReading = true
    /// Bytes whose part of the stream's window has not been given back.
    private var unconsumed = 0

    // The response.
    private(set) var method = HTTPMethod.GET
    private(set) var acceptsTrailers = false
    var state = State.idle
    /// Whether bytes can follow the head.
    var hasBody = true
    /// Whether fields can follow the body.
    var carriesTrailers = false
    /// What was written and not framed yet.
    var pending = ByteBuffer()
    var trailers: HTTPHeaders?
    var isBrokenOff = false
    private(set) var isAborted = false
    /// Whether the session does not know the stream any more.
    private var isClosed = false
    /// Whether the session waits to hear that there is more to send.
    private var isDeferred = false
    private var hasSentHead = false
    /// Whether a head or trailers could not be sent.
    var hasFailed = false
    /// Whether the client's side of the stream has its end, as soon as the socket takes it.
    private(set) var isEndSent = false
    private var isStaged = false
    /// Whether there is no room until the client has taken what it was given.
    var isBlocked = false
    private var hasReportedBlock = false
    /// For a client that does not take an end.
    private var endTimer: LoopTimer?
    var isMetered = false
    /// Body bytes that went out through the window.
    private(set) var sent = 0
    var unsentBefore: Int?
    var takenBehindWindow = 0
    var delegate: (any ResponseWriterDelegate)?

    init(_ id: Int32, of connection: HTTP2Connection) {
        (self.id, self.connection) = (id, connection)
        (services, buffers) = (connection.services, connection.buffers)
        fields = HTTP2RequestHead(limit: services.limits.maximumHeaderBytes.bytes)
    }

    // MARK: The request, from the session

    func trailersBegan() { fields = HTTP2RequestHead(limit: services.limits.maximumHeaderBytes.bytes) }

    func fieldArrived(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        fields?.add(name, value)
    }

    /// A head is complete, or trailers are.
    ///
    /// - Returns: Whether it was the request's head.
    func headArrived(endsStream: Bool) -> Bool {
        guard let fields, let connection else { return false }
        self.fields = nil
        guard !hasRequest else {
            if fields.isTooLarge { resetNow(.enhanceYourCalm) } else { requestTrailers = fields.trailers }
            return false
        }
        hasRequest = true
        hasRequestEnded = endsStream
        do throws(RequestFault) {
            request = try Self.request(fields, endsStream: endsStream, from: connection.peer)
        } catch {
            fault = error
            // RFC 9110, section 9.3.2: the problem document would be content in a response to HEAD.
            if fields.method == "HEAD" { method = .HEAD }
        }
        guard let request else { return true }
        (method, acceptsTrailers) = (request.head.method, request.acceptsTrailers)
        if !endsStream { body = RequestBody(of: request, from: self) }
        return true
    }

    private static func request(
        _ fields: HTTP2RequestHead, endsStream: Bool, from peer: ConnectionPeer
    ) throws(RequestFault) -> Request {
        guard !fields.isTooLarge else { throw .headTooLarge }
        guard let head = fields.head(hasBody: !endsStream) else { throw .malformed }
        return try Request(
            head: head, peer: peer.address, isSecure: peer.cipher != nil, certificate: peer.certificate)
    }

    func bytesArrived(_ bytes: UnsafeRawBufferPointer) {
        unconsumed += bytes.count
        body?.arrived(ByteBuffer(bytes: bytes))
        if isReading { giveBackWindow() }
    }

    func bodyEnded() {
        guard !isAborted else { return }
        hasRequestEnded = true
        body?.ended(trailers: requestTrailers)
    }

    private func giveBackWindow() {
        guard unconsumed > 0, let connection, !hasRequestEnded else { return }
        connection.session?.consume(unconsumed, of: id)
        unconsumed = 0
        connection.stage()
    }

    /// Passes the request to the handler, unless its client has reset it meanwhile.
    func handOn() {
        guard let connection else { return }
        if let fault {
            return services.handler.faultArrived(fault, peer: connection.peer.address, writer: self)
        }
        guard let request else { return }
        self.request = nil
        services.handler.requestArrived(request, body: body ?? services.emptyBody, writer: self)
        body?.wasPassedOn()
    }

    /// The rest of the request is not needed.
    func dropBody() {
        if body?.isWanted ?? false { body?.drop() }
    }

    // MARK: The response, from the session

    /// What goes into the next frame.
    func nextPiece(upTo limit: Int) -> HTTP2Piece {
        let count = min(limit, pending.readableBytes)
        if isAborted { return .broken }
        if state != .ended, count == 0 {
            isDeferred = true
            return .none
        }
        guard state == .ended, count == pending.readableBytes else { return .bytes(count) }
        if isBrokenOff { return count > 0 ? .bytes(count) : .broken }
        guard let trailers, let session = connection?.session else { return .last(count) }
        buffers.fields.removeAll()
        buffers.fields.add(trailers)
        session.submitTrailers(&buffers.fields, on: id)
        return .lastBeforeTrailers(count)
    }

    /// Moves bytes into a frame.
    func write(_ count: Int, to output: inout ByteBuffer) {
        guard count > 0 else { return }
        pending.readWithUnsafeReadableBytes { bytes in
            output.writeBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
            return count
        }
        sent += count
        guard pending.readableBytes == 0 else { return }
        buffers.giveBack(batch: &pending)
        if isBlocked { stage() }
    }

    func partSent(endsStream: Bool) {
        hasSentHead = true
        guard endsStream else { return }
        isEndSent = true
        // RFC 9113, section 8.1: the client need not send the rest of its request.
        if !hasRequestEnded { connection?.session?.reset(id, .noError) }
        stage()
    }

    /// The session has closed the stream.
    ///
    /// - Returns: Whether an error ended it before the response began.
    func wasClosed() -> Bool {
        isClosed = true
        guard !isEndSent, !isAborted, let connection else { return false }
        if isBrokenOff {
            isEndSent = true
            stage()
            return false
        }
        connection.closed.append(self)
        return !hasSentHead
    }

    // MARK: The turn's end

    func stage() {
        guard !isStaged, let connection else { return }
        isStaged = true
        connection.stage(self)
    }

    /// Has the session ask for what it has not been able to send.
    func resume() {
        guard isDeferred, pending.readableBytes > 0 || state == .ended else { return }
        isDeferred = false
        connection?.session?.resume(id)
    }

    /// Everything was sent that windows and the socket take.
    func settle() {
        isStaged = false
        guard let connection else { return }
        switch state {
        case .idle: return
        case .open where pending.readableBytes == 0 && connection.isWritable:
            (isBlocked, hasReportedBlock) = (false, false)
            return delegate?.responseHasRoom() ?? ()
        case .ended where isEndSent && connection.isWritable: return ended(isTaken: true)
        case .open, .ended: break
        }
        isBlocked = true
        shrink()
        // Otherwise the session notices: what is left has to pass a window first.
        if state == .open ? pending.readableBytes == 0 : isEndSent { connection.block(self) }
        if state == .ended, endTimer == nil { startEndClock() }
        guard !hasReportedBlock else { return }
        hasReportedBlock = true
        delegate?.responseIsHeldUp()
    }

    /// What a client does not take must not hold the memory of a whole batch.
    private func shrink() {
        guard pending.readableBytes > 0, pending.capacity >= 2 * pending.readableBytes else { return }
        var batch = pending
        pending = ByteBuffer(buffer: pending)
        buffers.giveBack(batch: &batch)
    }

    // MARK: The end

    private func startEndClock() {
        let timer = LoopTimer(target: self)
        endTimer = timer
        services.timers.set(timer, at: services.clock() + services.limits.keepaliveTime)
    }

    func resetInSession(_ code: HTTP2ErrorCode) {
        if !isEndSent, !isClosed { connection?.session?.reset(id, code) }
    }

    /// Ends the stream at once, and drops what it has not sent.
    func resetNow(_ code: HTTP2ErrorCode) {
        guard let connection, !isAborted else { return }
        (state, isAborted) = (.ended, true)
        resetInSession(code)
        connection.closed.append(self)
        connection.stage()
    }

    /// The last of it; does nothing but the first time.
    ///
    /// - Parameter isTaken: Whether the client's socket has taken the end of the response.
    func ended(isTaken: Bool) {
        guard let connection else { return }
        let (delegate, body) = (delegate, body)
        (self.connection, self.delegate, self.body) = (nil, nil, nil)
        if let endTimer { services.timers.cancel(endTimer) }
        pending = ByteBuffer()
        connection.ended(self)
        body?.drop()
        if hasFailed {
            delegate?.responseFailed()
        } else if isTaken {
            delegate?.responseFinished()
        } else {
            delegate?.responseClosed()
        }
    }
}

extension HTTP2Stream: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) { resetNow(.enhanceYourCalm) }
}

extension HTTP2Stream: RequestBodySource {
    var timers: LoopTimers { services.timers }
    var clock: () -> Instant { services.clock }

    /// Whether the client's window is given back for bytes that arrive.
    func setReading(_ reads: Bool) {
        isReading = reads
        if reads { giveBackWindow() }
    }

    func sendContinue() { writeInterim(.continue, headers: [:]) }
}
