package import Flow
package import NIOCore
import NIOHTTP1

/// The body of one request: read where somebody asks for it while the request is handed on, dropped where nobody does.
///
///     held ──collect──▶ collecting ──end──▶ read
///       └──not asked for──▶ dropped ◀──failure──┘
///
/// What arrives before anybody could ask is kept, and the socket is not read on: a client cannot make it grow.
package final class RequestBody {
    /// Why a body was not read.
    package enum Failure: Error, Equatable, Sendable {
        /// It is longer than was wanted, or says so.
        case tooLarge(limit: ByteCount)
        /// Its end did not come in time.
        case tooSlow
        /// Its chunks are malformed (RFC 9112, section 7.1).
        case malformed
        /// The client left, or the response ended, before the body did: nobody waits for an answer.
        case brokenOff
    }

    private enum State {
        case held
        case collecting(limit: Int, then: (Result<ByteBuffer, Failure>) -> Void)
        case read
        case dropped
        /// There is none.
        case empty
    }

    /// While bytes may come.
    private var connection: ConnectionHandler?
    private var state: State
    private var bytes = ByteBuffer()
    private var hasArrived = false
    private let declaredLength: Int?
    private let expectsContinue: Bool
    private lazy var timer = LoopTimer(target: self)

    /// The body of a request without one.
    init() { (state, declaredLength, expectsContinue) = (.empty, 0, false) }

    init(of head: HTTPRequestHead, on connection: ConnectionHandler) {
        self.connection = connection
        state = .held
        declaredLength = head.headers.first(name: "content-length").flatMap { Int($0) }
        // RFC 9110, section 10.1.1: an HTTP/1.0 client does not wait.
        expectsContinue =
            head.version != .http1_0 && head.headers.first(name: "expect")?.lowercased() == "100-continue"
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
        guard let connection, case .held = state else { return then(.failure(.brokenOff)) }
        state = .collecting(limit: limit.bytes, then: then)
        guard max(declaredLength ?? 0, bytes.readableBytes) <= limit.bytes else {
            fail(.tooLarge(limit: limit))
            return
        }
        if hasArrived { return succeed() }
        connection.timers.set(timer, at: connection.clock() + time)
        // RFC 9110, section 10.1.1: not to a client that has begun to send.
        if expectsContinue, bytes.readableBytes == 0 { connection.sendContinue() }
        connection.setReading(true)
    }

    // MARK: From the connection

    /// Whether another request may follow on the connection.
    var letsConnectionLive: Bool {
        switch state {
        case .held: hasArrived
        case .read, .empty: true
        case .collecting, .dropped: false
        }
    }

    var isCollecting: Bool {
        if case .collecting = state { true } else { false }
    }

    func arrived(_ part: ByteBuffer) {
        switch state {
        case .held:
            bytes.writeImmutableBuffer(part)
            connection?.setReading(false)
        case .collecting(let limit, _):
            guard bytes.readableBytes + part.readableBytes <= limit else {
                fail(.tooLarge(limit: ByteCount(limit)))
                return
            }
            bytes.writeImmutableBuffer(part)
        case .read, .dropped, .empty: break
        }
    }

    func ended() {
        hasArrived = true
        if isCollecting { succeed() }
    }

    /// The request was handed on; who wants its body has said so.
    func handedOn() {
        if case .held = state { drop() }
    }

    /// Nobody will read on: the request will not be answered, or has been.
    func drop() {
        if isCollecting { fail(.brokenOff) } else if case .held = state { settle(.dropped) }
    }

    /// The rest will not come as it should, or is not wanted; does nothing where nobody waits for it.
    func fail(_ failure: Failure) {
        guard case .collecting(_, let then) = state else { return }
        settle(.dropped)
        then(.failure(failure))
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
        connection?.timers.cancel(timer)
        connection?.setReading(true)
        connection = nil
    }
}

extension RequestBody: TimerTarget {
    package func timerFired(_ timer: LoopTimer, at now: Instant) { fail(.tooSlow) }
}
