import NIOCore
import NIOHTTP1

/// The sending side of a stream of HTTP/2: what the response has written, and what of it the session may frame.
///
///     idle ──head──▶ open ──end──▶ ended ─────▶ END_STREAM, after trailers if there are any
///       │              ├──break off──▶ brokenOff ──▶ RST_STREAM after what was written
///       └──────────────┴──abort──▶ aborted ──▶ RST_STREAM at once
///
/// At most one batch is kept. The window of the client is its pace: a closed one is a client that does not read this stream,
/// whether it reads others or not.
struct HTTP2StreamOutput {
    enum State { case idle, open, ended, brokenOff, aborted }

    /// What the session has sent.
    private enum Sent { case nothing, head, end }

    /// Whether the client takes what was written.
    private enum Block { case none, blocked, reported }

    /// What the end of a turn leads to.
    enum Settlement: Equatable {
        case nothing
        /// The client has taken everything that was written.
        case caughtUp
        /// The client has taken the end.
        case finished
        /// The client does not take everything.
        ///
        /// - Parameters:
        ///   - onSocket: Whether only the socket is full; if a window is closed, the session reports when it opens.
        ///   - isNew: Whether the delegate has not been notified of it.
        case blocked(onSocket: Bool, isNew: Bool)
    }

    /// What the session's close of the stream leads to.
    enum Close: Equatable {
        /// The end was sent before.
        case nothing
        /// It is the end of a response that was broken off.
        case finished
        /// The client, or an error, ended the stream.
        case failed(beforeHead: Bool)
    }

    private(set) var state = State.idle
    /// Whether bytes can follow the head.
    private(set) var hasBody = true
    private var carriesTrailers = false
    /// What was written and not framed.
    private var pending = ByteBuffer()
    private(set) var trailers: HTTPHeaders?
    private var sent = Sent.nothing
    private var block = Block.none
    /// Whether the session waits for ``takeResumption()``.
    private var isDeferred = false
    /// Whether the session has closed the stream.
    private var isClosed = false
    /// Whether a head or trailers could not be sent.
    private(set) var hasFailed = false

    var hasHead: Bool { state != .idle }
    var hasEnded: Bool { state != .idle && state != .open }
    var isEmpty: Bool { pending.readableBytes == 0 }

    /// Whether the client has not taken what it was sent.
    var isBlocked: Bool { block != .none }

    /// Bytes that the client does not take.
    var blockedBytes: Int { isBlocked ? pending.readableBytes : 0 }

    /// Whether RST_STREAM has an effect.
    var canReset: Bool { sent != .end && !isClosed }

    /// Whether trailers can follow the body, or before the head, whether they could.
    func canSendTrailers(toHead isHead: Bool) -> Bool { hasHead ? carriesTrailers : !isHead }

    // MARK: From the response

    /// - Parameters:
    ///   - body: How the length of the body is known.
    ///   - isHead: Whether it is the response to HEAD.
    mutating func begin(_ body: ResponseBodyLength, isHead: Bool) {
        state = .open
        hasBody = body != .none && !isHead
        carriesTrailers = body == .unknown && hasBody
    }

    /// Bytes that may be written now; `nil` if what was written must be sent first.
    func room(isWritable: Bool) -> Int? {
        let free = BatchSize.maximum - pending.readableBytes
        return (isEmpty ? isWritable : free >= BatchSize.largestPiece) ? free : nil
    }

    /// There is no room until the client has taken what was written.
    mutating func blocked() { if block == .none { block = .blocked } }

    /// Keeps bytes of the body.
    ///
    /// - Returns: Whether the response has a body, and there were any.
    mutating func write(_ bytes: UnsafeRawBufferPointer, in buffers: HTTP2Buffers) -> Bool {
        guard state == .open, hasBody, bytes.count > 0 else { return false }
        if pending.capacity == 0 { pending = buffers.takeBatch() }
        pending.writeBytes(bytes)
        return true
    }

    mutating func end(trailers: HTTPHeaders?) { (state, self.trailers) = (.ended, trailers) }

    /// - Returns: Whether the stream must be reset now, because no frame of its body can end it (``nextPiece(upTo:)``).
    mutating func breakOff() -> Bool {
        defer { state = .brokenOff }
        return state != .open || !hasBody
    }

    mutating func abort() { state = .aborted }

    // MARK: From the session

    /// What goes into the next frame.
    mutating func nextPiece(upTo limit: Int) -> HTTP2Piece {
        let count = min(limit, pending.readableBytes)
        switch state {
        case .aborted: return .broken
        case .idle where count == 0, .open where count == 0:
            isDeferred = true
            return .none
        case .ended where count == pending.readableBytes:
            return trailers == nil ? .last(count) : .lastBeforeTrailers(count)
        case .brokenOff where count == 0: return .broken
        case .idle, .open, .ended, .brokenOff: return .bytes(count)
        }
    }

    /// Moves bytes into a frame.
    ///
    /// - Returns: Whether none is left.
    mutating func move(_ count: Int, to output: inout ByteBuffer, from buffers: HTTP2Buffers) -> Bool {
        pending.readWithUnsafeReadableBytes { bytes in
            output.writeBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
            return count
        }
        guard isEmpty else { return false }
        buffers.giveBack(batch: &pending)
        return true
    }

    /// A head, trailers, or the end of a body were sent.
    mutating func partSent(endsStream: Bool) {
        if endsStream { sent = .end } else if sent == .nothing { sent = .head }
    }

    /// A head or trailers cannot be sent.
    mutating func failed() { hasFailed = true }

    /// Whether the session, which had nothing to send, must be called now.
    mutating func takeResumption() -> Bool {
        guard isDeferred, !isEmpty || hasEnded else { return false }
        isDeferred = false
        return true
    }

    /// The session has closed the stream.
    mutating func closed() -> Close {
        isClosed = true
        guard sent != .end, state != .aborted else { return .nothing }
        guard state == .brokenOff else { return .failed(beforeHead: sent == .nothing) }
        sent = .end
        return .finished
    }

    // MARK: The end of the turn

    /// Everything was sent that windows and the socket take.
    ///
    /// - Parameters:
    ///   - isWritable: Whether the socket has taken everything.
    ///   - buffers: The loop's.
    /// - Returns: How far the client has taken it.
    mutating func settle(isWritable: Bool, in buffers: HTTP2Buffers) -> Settlement {
        guard state != .idle else { return .nothing }
        // Otherwise a window is closed.
        let isFramed = state == .open ? isEmpty : sent == .end
        guard !isFramed || !isWritable else {
            if state == .open { block = .none }
            return state == .open ? .caughtUp : .finished
        }
        defer { block = .reported }
        shrink(in: buffers)
        return .blocked(onSocket: isFramed, isNew: block != .reported)
    }

    /// What a client does not take must not occupy the memory of a whole batch.
    private mutating func shrink(in buffers: HTTP2Buffers) {
        guard !isEmpty, pending.capacity >= 2 * pending.readableBytes else { return }
        var batch = pending
        pending = ByteBuffer(buffer: pending)
        buffers.giveBack(batch: &batch)
    }

    /// Drops what was not sent.
    mutating func discard() { pending = ByteBuffer() }
}
