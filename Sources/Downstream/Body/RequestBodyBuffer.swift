import Flow
import NIOCore

/// What has arrived of a request's body and has not been taken, and what may be taken of it.
///
///     unclaimed ──collect──▶ collecting ──end──▶ read ◀──end taken──┐
///       ├──not claimed──▶ dropped ◀──failure──┴────────────────── streaming
///       └──stream──────────────────────────────────────────────────▲
///
/// Bytes that arrive before the handler can claim the body are kept, and reading stops: a client cannot make it grow. Of a body
/// that is streamed at most ``capacity`` bytes are kept, plus what one turn of reading brings; then reading stops until half of
/// them have been taken.
struct RequestBodyBuffer {
    enum State: Equatable {
        /// The handler has not claimed it.
        case unclaimed
        case collecting(limit: Int)
        case streaming(limit: Int)
        case read
        case dropped
        /// The request has none.
        case none
    }

    /// What follows the arrival of bytes.
    enum Arrival: Equatable {
        case nothing
        /// Enough is kept: the source stops reading.
        case stopsReading
        /// The next bytes have their full time.
        case extendsDeadline
        case fails(RequestBody.Failure)
    }

    /// What there is to take.
    enum Piece: Equatable {
        /// This many bytes were copied.
        case bytes(Int, resumesReading: Bool)
        /// All bytes were taken before.
        case end
        /// Nothing yet; `isFirst` if the client has sent nothing, and may wait for `100 Continue`.
        case nothing(isFirst: Bool)
        /// The body is not streamed, and did not end.
        case unavailable
    }

    /// How far a body that is streamed may run ahead of the upstream.
    static let capacity = 64 << 10
    /// More than that arrives from a socket that is not read only when the client has closed it.
    static let maximum = 256 << 10

    private(set) var state: State
    private var bytes = ByteBuffer()
    /// Whether its end has arrived.
    private(set) var hasEnded = false
    /// Over HTTP/2 the length that the head declares; until the stream's end, more bytes or malformed trailers may follow.
    private let declaredLength: Int?
    /// Bytes of a streamed body that have arrived.
    private var total = 0
    /// Whether bytes were requested when there were none.
    private var isAwaited = false

    /// - Parameters:
    ///   - state: `unclaimed`, or `none`.
    ///   - declaredLength: The length that must be confirmed by the end of the stream.
    init(_ state: State, declaredLength: Int? = nil) { (self.state, self.declaredLength) = (state, declaredLength) }

    /// Whether all of it has arrived, taken or not.
    var isWhole: Bool {
        switch state {
        case .unclaimed, .streaming: hasEnded
        case .read, .none: true
        case .collecting, .dropped: false
        }
    }

    /// Whether more of it is needed.
    var isWanted: Bool {
        switch state {
        case .collecting: true
        case .streaming: !hasEnded
        case .unclaimed, .read, .dropped, .none: false
        }
    }

    /// Whether none of its bytes is kept.
    var isEmpty: Bool { bytes.readableBytes == 0 }

    /// Whether it is streamed and bytes may still arrive.
    var isStreaming: Bool {
        if case .streaming = state { !hasEnded } else { false }
    }

    /// All of it is to be kept until its end.
    ///
    /// - Parameters:
    ///   - limit: The most bytes that it may have.
    ///   - length: Its length, if the head declares it.
    /// - Returns: Whether it may still be within the limit.
    mutating func collect(upTo limit: Int, length: Int?) -> Bool {
        state = .collecting(limit: limit)
        return max(length ?? 0, bytes.readableBytes) <= limit
    }

    /// Its bytes are taken as they arrive.
    mutating func stream(upTo limit: Int) {
        state = .streaming(limit: limit)
        total = bytes.readableBytes
    }

    mutating func arrived(_ part: ByteBuffer) -> Arrival {
        switch state {
        case .unclaimed:
            bytes.writeImmutableBuffer(part)
            return .stopsReading
        case .collecting(let limit):
            guard bytes.readableBytes + part.readableBytes <= limit else {
                return .fails(.tooLarge(limit: ByteCount(limit)))
            }
            bytes.writeImmutableBuffer(part)
            return .nothing
        case .streaming(let limit): return streamed(part, limit: limit)
        case .read, .dropped, .none: return .nothing
        }
    }

    private mutating func streamed(_ part: ByteBuffer, limit: Int) -> Arrival {
        total += part.readableBytes
        guard total <= limit else { return .fails(.tooLarge(limit: ByteCount(limit))) }
        guard bytes.readableBytes + part.readableBytes <= Self.maximum else { return .fails(.brokenOff) }
        if bytes.readableBytes == 0 {
            bytes = part
        } else {
            bytes.discardReadBytes()
            bytes.writeImmutableBuffer(part)
        }
        // Reading continues for the end that confirms the body: otherwise no deadline would apply.
        return bytes.readableBytes >= Self.capacity && !isUnconfirmed ? .stopsReading : .extendsDeadline
    }

    /// Its end has arrived.
    mutating func ended() { hasEnded = true }

    /// Whether the delegate must be notified that there is something to take; `false` until it has asked for more.
    mutating func takeNotification() -> Bool {
        guard isAwaited, !isUnconfirmed else { return false }
        isAwaited = false
        return true
    }

    /// Copies the next bytes.
    mutating func take(into target: UnsafeMutableRawBufferPointer) -> Piece {
        guard case .streaming = state else { return isWhole ? .end : .unavailable }
        let count = isUnconfirmed ? 0 : min(target.count, bytes.readableBytes)
        if count > 0 {
            bytes.readWithUnsafeReadableBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(count)))
                return count
            }
            if bytes.readableBytes == 0 { bytes = ByteBuffer() }
            return .bytes(count, resumesReading: bytes.readableBytes <= Self.capacity / 2)
        }
        if hasEnded { return .end }
        isAwaited = true
        return .nothing(isFirst: total == 0)
    }

    /// The body is over, read or not.
    ///
    /// - Returns: What was kept of it.
    @discardableResult mutating func finish(_ end: State) -> ByteBuffer {
        defer { (state, bytes) = (end, ByteBuffer()) }
        return bytes
    }

    /// Whether all declared bytes have arrived, but not the end that makes the request well-formed (RFC 9113, section 8.1.1).
    ///
    /// The last of them are withheld until then: an upstream takes a request for complete when it has the declared length.
    private var isUnconfirmed: Bool {
        guard let declaredLength, !hasEnded else { return false }
        return total >= declaredLength
    }
}
