package import Flow
package import NIOCore
package import NIOHTTP1

/// The connection, or the stream, that a request's body arrives on; it outlives the body's interest in it.
protocol RequestBodySource: AnyObject {
    /// The loop's.
    var timers: LoopTimers { get }
    /// Reads the monotonic clock.
    var clock: () -> Instant { get }

    /// Reads on, or leaves what comes to TCP, or to the stream's window of HTTP/2.
    func setReading(_ reads: Bool)

    /// Reports to a client that waits for it that its body is wanted (RFC 9110, section 10.1.1); nothing once the response
    /// has begun.
    func sendContinue()
}

/// Hears of a body that it takes bit by bit; on the connection's loop.
package protocol RequestBodyDelegate: AnyObject {
    /// There are bytes to take, or the end, after ``RequestBody/take(into:)`` had none.
    func bodyArrived()

    /// The rest will not come as it should. The last call.
    func bodyFailed(_ failure: RequestBody.Failure)
}

/// The body of one request: read where somebody asks for it while the request is handed on, dropped where nobody does.
///
///     held ──collect──▶ collecting ──end──▶ read ◀──end taken──┐
///       ├──not asked for──▶ dropped ◀──failure──┴───────── streaming
///       └──stream──────────────────────────────────────────────▲
///
/// What arrives before anybody could ask is kept, and the socket is not read on: a client cannot make it grow. Of one that is
/// streamed at most ``most`` bytes are kept, and what one turn of reading brings; then the client's socket is not read, nor
/// its window of HTTP/2 given back, until half of it has been taken.
package final class RequestBody {
    /// Why a body was not read.
    package enum Failure: Error, Equatable, Sendable {
        /// It is longer than was wanted, or says so.
        case tooLarge(limit: ByteCount)
        /// Its end, or of one that is streamed its next bytes, did not come in time.
        case tooSlow
        /// Its chunks are malformed (RFC 9112, section 7.1).
        case malformed
        /// The client left, or the response ended, before the body did: nobody waits for an answer.
        case brokenOff
    }

    private enum State {
        case held
        case collecting(limit: Int, then: (Result<ByteBuffer, Failure>) -> Void)
        case streaming(Stream)
        case read
        case dropped
        /// There is none.
        case empty
    }

    private struct Stream {
        let delegate: any RequestBodyDelegate
        let limit: Int
        let idle: Duration?
    }

    /// How much a body that is streamed may run ahead of whoever takes it.
    private static let most = 64 << 10
    /// More than that comes of a socket that is not read only when the client has closed it.
    private static let mostOfClosing = 256 << 10

    /// While bytes may come.
    private var source: (any RequestBodySource)?
    private var state: State
    private var bytes = ByteBuffer()
    private var hasArrived = false
    /// How its end is found.
    private let length: RequestBodyLength
    /// Over HTTP/2 the length that the head declares; until the stream's end, more bytes or malformed trailers may follow.
    private let declared: Int?
    /// The fields behind a chunked body (RFC 9110, section 6.5), once it is whole.
    package private(set) var trailers = HTTPHeaders()
    /// Whether the client waits for `100 Continue`.
    package let expectsContinue: Bool
    private lazy var timer = LoopTimer(target: self)
    /// Until when a streamed body must go on; the timer may fire earlier and is then set anew.
    private var deadline = Instant.distantFuture
    private var total = 0
    /// Whether who takes it had nothing to take.
    private var isAwaited = false
    private var hasSentContinue = false

    /// The body of a request without one.
    init() { (state, length, declared, expectsContinue) = (.empty, .none, nil, false) }

    init(of request: Request, from source: any RequestBodySource) {
        self.source = source
        (state, length, expectsContinue) = (.held, request.bodyLength, request.expectation == .goAhead)
        declared = request.head.version == .http2 ? length.bytes : nil
    }

    /// Reads the whole body, after `100 Continue` where the client waits for that.
    ///
    /// To be asked for once, before the request handler returns; a body that nobody has asked for by then is dropped, and
    /// the connection closes behind the answer. A body that was read lets the connection live on.
    ///
    /// - Parameters:
    ///   - limit: The most that is kept.
    ///   - time: How long its end may take from now on.
    ///   - then: Called once, on the loop, maybe before this returns.
    package func collect(
        upTo limit: ByteCount, within time: Duration, then: @escaping (Result<ByteBuffer, Failure>) -> Void
    ) {
        if case .empty = state { return then(.success(ByteBuffer())) }
        guard let source, case .held = state else { return then(.failure(.brokenOff)) }
        state = .collecting(limit: limit.bytes, then: then)
        guard max(length.bytes ?? 0, bytes.readableBytes) <= limit.bytes else {
            fail(.tooLarge(limit: limit))
            return
        }
        if hasArrived { return succeed() }
        source.timers.set(timer, at: source.clock() + time)
        // RFC 9110, section 10.1.1: not to a client that has begun to send.
        if expectsContinue, bytes.readableBytes == 0 { source.sendContinue() }
        source.setReading(true)
    }

    // MARK: Bit by bit

    /// Hands the body over as fast as it is taken; to be asked for as ``collect(upTo:within:then:)`` is.
    ///
    /// A client that waits for `100 Continue` gets it when somebody wants bytes and none have come.
    ///
    /// - Parameters:
    ///   - delegate: Is told what comes of it; kept until the end, a failure, or ``cancel()``.
    ///   - limit: The most that the body may have; `nil` for no limit.
    ///   - idle: How long the client may send nothing while its socket is read; `nil` for no limit.
    package func stream(to delegate: any RequestBodyDelegate, upTo limit: ByteCount?, idle: Duration?) {
        guard let source, case .held = state else { return }
        state = .streaming(Stream(delegate: delegate, limit: limit?.bytes ?? .max, idle: idle))
        total = bytes.readableBytes
        source.setReading(true)
        // A client that has begun to send does not wait for `100 Continue`.
        if !expectsContinue || total > 0 { startClock() }
    }

    /// Takes what has come of a body that is streamed.
    ///
    /// - Parameter target: Where to put it.
    /// - Returns: The bytes put there; 0 at the end of the body, and `nil` where there is nothing to take: the delegate is
    ///   told when there is.
    package func take(into target: UnsafeMutableRawBufferPointer) -> Int? {
        guard case .streaming = state else { return isWhole ? 0 : nil }
        let count = isUnconfirmed ? 0 : min(target.count, bytes.readableBytes)
        if count > 0 {
            bytes.readWithUnsafeReadableBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(count)))
                return count
            }
            if bytes.readableBytes == 0 { bytes = ByteBuffer() }
            if bytes.readableBytes <= Self.most / 2 { readOn() }
            return count
        }
        if hasArrived {
            settle(.read)
            return 0
        }
        isAwaited = true
        if expectsContinue, total == 0, !hasSentContinue, let source {
            hasSentContinue = true
            source.sendContinue()
            startClock()
        }
        return nil
    }

    /// Who took it wants no more: the delegate is told nothing, and the rest is dropped as it comes.
    package func cancel() {
        guard case .streaming = state else { return }
        settle(hasArrived ? .read : .dropped)
    }

    /// Whether all of it has come, be it taken or not.
    package var isWhole: Bool { letsConnectionLive }

    private func streamed(_ part: ByteBuffer, to stream: Stream) {
        total += part.readableBytes
        guard total <= stream.limit else { return fail(.tooLarge(limit: ByteCount(stream.limit))) }
        guard bytes.readableBytes + part.readableBytes <= Self.mostOfClosing else { return fail(.brokenOff) }
        if bytes.readableBytes == 0 {
            bytes = part
        } else {
            bytes.discardReadBytes()
            bytes.writeImmutableBuffer(part)
        }
        if bytes.readableBytes >= Self.most, !isUnconfirmed {
            deadline = .distantFuture
            source?.setReading(false)
        } else {
            startClock()
        }
        tell(stream)
    }

    /// Whether all declared bytes have arrived, but not the end that makes the request well-formed (RFC 9113, section 8.1.1).
    ///
    /// The last of them are withheld until then: an upstream takes a request for complete when it has the declared length.
    private var isUnconfirmed: Bool {
        guard let declared, !hasArrived else { return false }
        return total >= declared
    }

    private func tell(_ stream: Stream) {
        guard isAwaited, !isUnconfirmed else { return }
        isAwaited = false
        stream.delegate.bodyArrived()
    }

    private func readOn() {
        if deadline == .distantFuture, !hasArrived { startClock() }
        source?.setReading(true)
    }

    private func startClock() {
        guard case .streaming(let stream) = state, let source, let idle = stream.idle, !hasArrived else { return }
        deadline = source.clock() + idle
        // Set only if it must fire earlier than it would: most deadlines are moved long before they come.
        if !timer.isSet || deadline < timer.due { source.timers.set(timer, at: deadline) }
    }

    // MARK: From the connection

    /// Whether another request may follow on the source.
    var letsConnectionLive: Bool {
        switch state {
        case .held, .streaming: hasArrived
        case .read, .empty: true
        case .collecting, .dropped: false
        }
    }

    /// Whether somebody waits for more of it.
    var isWanted: Bool {
        switch state {
        case .collecting: true
        case .streaming: !hasArrived
        case .held, .read, .dropped, .empty: false
        }
    }

    func arrived(_ part: ByteBuffer) {
        switch state {
        case .held:
            bytes.writeImmutableBuffer(part)
            source?.setReading(false)
        case .collecting(let limit, _):
            guard bytes.readableBytes + part.readableBytes <= limit else {
                fail(.tooLarge(limit: ByteCount(limit)))
                return
            }
            bytes.writeImmutableBuffer(part)
        case .streaming(let stream): streamed(part, to: stream)
        case .read, .dropped, .empty: break
        }
    }

    func ended(trailers: HTTPHeaders = [:]) {
        hasArrived = true
        self.trailers = trailers
        deadline = .distantFuture
        if case .streaming(let stream) = state { tell(stream) } else { succeed() }
    }

    /// The request was handed on; who wants its body has said so.
    func handedOn() {
        if case .held = state { drop() }
    }

    /// Nobody will read on: the request will not be answered, or has been.
    ///
    /// Of one that has come to its end, who takes it may take the rest.
    func drop() {
        if isWanted { return fail(.brokenOff) }
        if case .held = state { settle(.dropped) } else { letGo() }
    }

    /// The rest will not come as it should, or is not wanted; does nothing where nobody waits for it.
    func fail(_ failure: Failure) {
        switch state {
        case .collecting(_, let then):
            settle(.dropped)
            then(.failure(failure))
        case .streaming(let stream):
            settle(.dropped)
            stream.delegate.bodyFailed(failure)
        case .held, .read, .dropped, .empty: break
        }
    }

    private func succeed() {
        guard case .collecting(_, let then) = state else { return }
        let whole = bytes
        settle(.read)
        then(.success(whole))
    }

    private func settle(_ end: State) {
        state = end
        bytes = ByteBuffer()
        letGo()
    }

    /// The connection is not needed any more, for what has come of a body is all of it.
    package func letGo() {
        source?.timers.cancel(timer)
        source?.setReading(true)
        source = nil
    }
}

extension RequestBody: TimerTarget {
    package func timerFired(_ timer: LoopTimer, at now: Instant) {
        guard case .streaming = state, now < deadline else { return fail(.tooSlow) }
        if deadline != .distantFuture { source?.timers.set(timer, at: deadline) }
    }
}
