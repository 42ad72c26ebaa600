package import Flow
package import NIOCore
package import NIOHTTP1

/// The body of one request: read if the handler claims it before it returns, dropped otherwise.
///
/// ``RequestBodyBuffer`` decides what is kept and when reading stops; this stops and resumes the source, applies the deadline,
/// and notifies the consumer.
package final class RequestBody {
    /// Why a body was not read.
    package enum Failure: Error, Equatable, Sendable {
        /// It is longer than the limit, or declares to be.
        case tooLarge(limit: ByteCount)
        /// Its end, or if it is streamed its next bytes, did not arrive in time.
        case tooSlow
        /// Its chunks are malformed (RFC 9112, section 7.1).
        case malformed
        /// The client left, or the response ended, before the body did: no answer is expected.
        case brokenOff
    }

    private enum Consumer {
        case none
        /// Called once with the whole body.
        case whole((Result<ByteBuffer, Failure>) -> Void)
        /// `idle` is how long the client may send nothing; `nil` for no limit.
        case pieces(any RequestBodyDelegate, idle: Duration?)
    }

    /// While bytes may arrive.
    private var source: (any RequestBodySource)?
    private var buffer: RequestBodyBuffer
    private var consumer = Consumer.none
    /// How its end is found.
    private let length: RequestBodyLength
    /// The fields after a chunked body (RFC 9110, section 6.5), once it is whole.
    package private(set) var trailers = HTTPHeaders()
    /// Whether the client waits for `100 Continue`.
    package let expectsContinue: Bool
    private var hasSentContinue = false
    private var deadline = Deadline()

    /// The body of a request without one.
    init() { (buffer, length, expectsContinue) = (RequestBodyBuffer(.none), .none, false) }

    init(of request: borrowing Request, from source: any RequestBodySource) {
        self.source = source
        (length, expectsContinue) = (request.bodyLength, request.expectation == .goAhead)
        buffer = RequestBodyBuffer(
            .unclaimed, declaredLength: request.head.version == .http2 ? request.bodyLength.bytes : nil)
    }

    /// Whether all of it has arrived, taken or not; then another request may follow on the source.
    package var isWhole: Bool { buffer.isWhole }

    /// Whether more of it is needed.
    var isWanted: Bool { buffer.isWanted }

    // MARK: As a whole

    /// Reads the whole body, after `100 Continue` if the client waits for that.
    ///
    /// To be called once, before the request handler returns; a body that is not claimed by then is dropped, and the connection
    /// closes after the response. After a body that was read the connection continues.
    ///
    /// - Parameters:
    ///   - limit: The most that is kept.
    ///   - time: How long its end may take from now on.
    ///   - then: Called once, on the loop, maybe before this returns.
    package func collect(
        upTo limit: ByteCount, within time: Duration, then: @escaping (Result<ByteBuffer, Failure>) -> Void
    ) {
        if buffer.state == .none { return then(.success(ByteBuffer())) }
        guard let source, buffer.state == .unclaimed else { return then(.failure(.brokenOff)) }
        consumer = .whole(then)
        guard buffer.collect(upTo: limit.bytes, length: length.bytes) else { return fail(.tooLarge(limit: limit)) }
        if buffer.hasEnded { return succeed() }
        deadline.set(source.clock() + time, for: self, in: source.timers)
        // RFC 9110, section 10.1.1: not to a client that has begun to send.
        if expectsContinue, buffer.isEmpty { source.sendContinue() }
        source.setReading(true)
    }

    private func succeed() {
        guard case .whole(let then) = consumer else { return }
        then(.success(finish(.read)))
    }

    // MARK: In pieces

    /// Delivers the body as fast as it is taken; to be called as ``collect(upTo:within:then:)`` is.
    ///
    /// A client that waits for `100 Continue` gets it when bytes are requested and none have arrived.
    ///
    /// - Parameters:
    ///   - delegate: Notified of bytes and of a failure; retained until the end, a failure, or ``cancel()``.
    ///   - limit: The most that the body may have; `nil` for no limit.
    ///   - idle: How long the client may send nothing while its socket is read; `nil` for no limit.
    package func stream(to delegate: any RequestBodyDelegate, upTo limit: ByteCount?, idle: Duration?) {
        guard let source, buffer.state == .unclaimed else { return }
        consumer = .pieces(delegate, idle: idle)
        buffer.stream(upTo: limit?.bytes ?? .max)
        source.setReading(true)
        // A client that has begun to send does not wait for `100 Continue`.
        if !expectsContinue || !buffer.isEmpty { extendDeadline() }
    }

    /// Takes what has arrived of a body that is streamed.
    ///
    /// - Parameter target: Where to copy it.
    /// - Returns: The number of bytes copied; 0 at the end of the body, and `nil` if there is nothing to take yet: the delegate
    ///   is notified when there is.
    package func take(into target: UnsafeMutableRawBufferPointer) -> Int? {
        switch buffer.take(into: target) {
        case .bytes(let count, let resumesReading):
            if resumesReading { resumeReading() }
            return count
        case .end:
            if case .streaming = buffer.state { finish(.read) }
            return 0
        case .nothing(let isFirst):
            if isFirst { continueOnce() }
            return nil
        case .unavailable: return nil
        }
    }

    /// The consumer needs no more: the rest is dropped as it arrives, without a call to the delegate.
    package func cancel() {
        guard case .streaming = buffer.state else { return }
        finish(buffer.hasEnded ? .read : .dropped)
    }

    private func continueOnce() {
        guard expectsContinue, !hasSentContinue, let source else { return }
        hasSentContinue = true
        source.sendContinue()
        extendDeadline()
    }

    private func resumeReading() {
        if !deadline.isSet, !buffer.hasEnded { extendDeadline() }
        source?.setReading(true)
    }

    private func extendDeadline() {
        guard case .pieces(_, let idle?) = consumer, let source, buffer.isStreaming else { return }
        deadline.set(source.clock() + idle, for: self, in: source.timers)
    }

    private func notify() {
        guard case .pieces(let delegate, _) = consumer, buffer.takeNotification() else { return }
        delegate.bodyArrived()
    }

    // MARK: From the connection

    func arrived(_ part: ByteBuffer) {
        switch buffer.arrived(part) {
        case .nothing: return
        case .stopsReading:
            deadline.clear()
            source?.setReading(false)
        case .extendsDeadline: extendDeadline()
        case .fails(let failure): return fail(failure)
        }
        notify()
    }

    func ended(trailers: HTTPHeaders = [:]) {
        buffer.ended()
        self.trailers = trailers
        deadline.clear()
        notify()
        succeed()
    }

    /// The request was passed to the handler, which claims its body before it returns or not at all.
    func wasPassedOn() {
        if buffer.state == .unclaimed { drop() }
    }

    /// The rest is not read: the request will not be answered, or has been.
    ///
    /// What has arrived of a body that has come to its end may still be taken.
    func drop() {
        if isWanted { return fail(.brokenOff) }
        if buffer.state == .unclaimed { finish(.dropped) } else { releaseSource() }
    }

    /// The rest will not arrive as it should, or is not needed; does nothing without a consumer.
    func fail(_ failure: Failure) {
        let consumer = consumer
        switch consumer {
        case .none: break
        case .whole(let then):
            finish(.dropped)
            then(.failure(failure))
        case .pieces(let delegate, _):
            finish(.dropped)
            delegate.bodyFailed(failure)
        }
    }

    @discardableResult private func finish(_ end: RequestBodyBuffer.State) -> ByteBuffer {
        consumer = .none
        let bytes = buffer.finish(end)
        releaseSource()
        return bytes
    }

    /// The connection is not needed any more, because all of the body has arrived.
    package func releaseSource() {
        guard let source else { return }
        deadline.cancel(in: source.timers)
        source.setReading(true)
        self.source = nil
    }
}

extension RequestBody: TimerTarget {
    package func timerFired(_ timer: LoopTimer, at now: Instant) {
        if let source, deadline.hasPassed(at: now, in: source.timers) { fail(.tooSlow) }
    }
}
