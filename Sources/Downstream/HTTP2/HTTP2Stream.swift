import Flow
import HTTPText
import NIOCore
import NIOHTTP1

/// One request of an HTTP/2 connection and its response: performs what its two sides decide.
///
/// It is over when the client's socket has taken END_STREAM or RST_STREAM, or the connection is gone.
final class HTTP2Stream {
    let id: Int32
    let services: ConnectionServices
    let buffers: HTTP2Buffers
    /// Until the stream is over.
    private(set) var connection: HTTP2Connection?
    private(set) var reception: HTTP2RequestReception
    private var body: RequestBody?
    var output = HTTP2StreamOutput()
    var taken = HTTP2TakenBytes()
    private var isStaged = false
    private(set) var isMetered = false
    /// Whether the response is over only when its end has been acknowledged.
    var awaitsAcknowledgement = false
    /// Of the end, if it is awaited; `nil` once the connection has failed.
    private var acknowledgement: EndAcknowledgement?
    /// For a client that does not take an end, or does not acknowledge it.
    private var endDeadline = Deadline()
    var delegate: (any ResponseWriterDelegate)?

    init(_ id: Int32, of connection: HTTP2Connection) {
        (self.id, self.connection) = (id, connection)
        (services, buffers) = (connection.services, connection.buffers)
        reception = HTTP2RequestReception(limit: services.limits.maximumHeaderBytes.bytes)
    }

    // MARK: The request, from the session

    func trailersBegan() { reception.trailersBegan() }

    func fieldArrived(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        reception.fieldArrived(name, value)
    }

    /// A head is complete, or trailers are.
    ///
    /// - Returns: Whether it was the request's head.
    func fieldsEnded(endsStream: Bool) -> Bool {
        guard let connection else { return false }
        switch reception.fieldsEnded(endsStream: endsStream, from: connection.peer) {
        case .head:
            if !endsStream, let request = reception.request { body = RequestBody(of: request, from: self) }
            return true
        case .tooLarge: reset(.enhanceYourCalm)
        case .trailers, nil: break
        }
        return false
    }

    func bytesArrived(_ bytes: UnsafeRawBufferPointer) {
        reception.bytesArrived(bytes.count)
        body?.arrived(ByteBuffer(bytes: bytes))
        giveBackWindow()
    }

    func bodyEnded() {
        guard output.state != .aborted else { return }
        reception.ended()
        body?.ended(trailers: reception.trailers)
    }

    private func giveBackWindow() {
        guard let connection, case let bytes = reception.takeWindow(), bytes > 0 else { return }
        connection.session?.consume(bytes, of: id)
        connection.stage()
    }

    /// Passes the request to the handler, unless its client has reset it meanwhile.
    func dispatch() {
        guard let connection else { return }
        if let fault = reception.fault {
            return services.handler.faultArrived(fault, peer: connection.peer.address.text, writer: self)
        }
        guard let request = reception.takeRequest() else { return }
        services.handler.requestArrived(request, body: body ?? services.emptyBody, writer: self)
        body?.wasPassedOn()
    }

    /// The rest of the request is not needed.
    func dropBody() {
        if body?.isWanted ?? false { body?.drop() }
    }

    // MARK: The response, from the session

    func nextPiece(upTo limit: Int) -> HTTP2Piece {
        let piece = output.nextPiece(upTo: limit)
        if case .lastBeforeTrailers = piece, let trailers = output.trailers {
            buffers.fields.removeAll()
            buffers.fields.add(trailers)
            connection?.session?.submitTrailers(&buffers.fields, on: id)
        }
        return piece
    }

    /// Moves bytes into a frame.
    func write(_ count: Int, to frames: inout ByteBuffer) {
        guard count > 0 else { return }
        taken.framed(count)
        if output.move(count, to: &frames, from: buffers), output.isBlocked { stage() }
    }

    func headFailed() { output.failed() }

    func partSent(endsStream: Bool) {
        output.partSent(endsStream: endsStream)
        guard endsStream else { return }
        // RFC 9113, section 8.1: the client need not send the rest of its request.
        if !reception.hasEnded { connection?.session?.reset(id, .noError) }
        stage()
    }

    /// The session has closed the stream.
    ///
    /// - Returns: Whether an error ended it before the response began.
    func closedBySession() -> Bool {
        switch output.closed() {
        case .nothing: return false
        case .finished:
            stage()
            return false
        case .failed(let beforeHead):
            guard let connection else { return false }
            connection.streams.finish(self)
            return beforeHead
        }
    }

    // MARK: The end of the turn

    func stage() {
        guard !isStaged, let connection else { return }
        isStaged = true
        connection.stage(self)
    }

    /// Lets the session take what it has not been able to send.
    func resume() {
        if output.takeResumption() { connection?.session?.resume(id) }
    }

    /// Everything was sent that windows and the socket take.
    func settle() {
        isStaged = false
        guard let connection else { return }
        switch output.settle(isWritable: connection.isWritable, in: buffers) {
        case .nothing: break
        case .caughtUp: delegate?.responseCaughtUp()
        case .finished: endTaken(on: connection)
        case .blocked(let onSocket, let isNew):
            if onSocket { connection.streams.block(self) }
            if output.hasEnded, !endDeadline.isSet {
                endDeadline.set(services.clock() + services.limits.keepaliveTime, for: self, in: services.timers)
            }
            if isNew { delegate?.responseBlocked() }
        }
    }

    /// The socket has taken the end: the stream is over, unless the client's kernel has to acknowledge it first.
    private func endTaken(on connection: HTTP2Connection) {
        guard awaitsAcknowledgement, delegate != nil else { return ended(isTaken: true) }
        let before = acknowledgement, now = services.clock()
        var wait = before ?? EndAcknowledgement(of: connection.written, within: services.limits.keepaliveTime, at: now)
        let look = wait.look(at: connection.acknowledged, now)
        acknowledgement = wait
        switch look {
        case .whole: ended(isTaken: true)
        case .gone: ended(isTaken: false)
        case .partial(let next):
            endDeadline.set(next, for: self, in: services.timers)
            if before == nil { delegate?.responseHandedOver() }
        }
    }

    /// Looks whether the end has been acknowledged, if that is awaited.
    func lookForAcknowledgement() {
        if acknowledgement != nil, let connection { endTaken(on: connection) }
    }

    /// The stream's records leave at a pace, or no longer.
    func expectPace(_ isMetered: Bool) {
        guard let connection, isMetered != self.isMetered else { return }
        self.isMetered = isMetered
        connection.streams.paceChanged(of: self)
        connection.stage()
    }

    // MARK: The end

    /// Resets the stream if the client has not got its end.
    func resetInSession(_ code: HTTP2ErrorCode) {
        if output.canReset { connection?.session?.reset(id, code) }
    }

    /// Ends the stream at once, and drops what it has not sent.
    func reset(_ code: HTTP2ErrorCode) {
        guard let connection, output.state != .aborted else { return }
        output.abort()
        resetInSession(code)
        connection.streams.finish(self)
        connection.stage()
    }

    /// The connection is gone; after the end of the response, an orderly close by the client shows that it has it.
    func connectionClosed() { ended(isTaken: acknowledgement != nil) }

    /// The connection has failed: what was not acknowledged by then will not be.
    func connectionFailed() {
        lookForAcknowledgement()
        acknowledgement = nil
    }

    /// The stream is over; does nothing after the first call.
    ///
    /// - Parameter isTaken: Whether the client's socket has taken the end of the response.
    func ended(isTaken: Bool) {
        guard let connection else { return }
        let (delegate, body) = (delegate, body)
        (self.connection, self.delegate, self.body) = (nil, nil, nil)
        endDeadline.cancel(in: services.timers)
        output.discard()
        connection.ended(self)
        body?.drop()
        if output.hasFailed {
            delegate?.responseFailed()
        } else if isTaken {
            delegate?.responseFinished()
        } else {
            delegate?.responseClosed()
        }
    }
}

extension HTTP2Stream: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        guard endDeadline.hasPassed(at: now, in: services.timers) else { return }
        if acknowledgement == nil { reset(.enhanceYourCalm) } else { lookForAcknowledgement() }
    }
}

extension HTTP2Stream: RequestBodySource {
    var timers: LoopTimers { services.timers }
    var clock: () -> Instant { services.clock }

    /// Whether the client's window is given back for bytes that arrive.
    func setReading(_ reads: Bool) {
        reception.setReading(reads)
        giveBackWindow()
    }

    func sendContinue() { writeInterim(.continue, headers: [:]) }
}
