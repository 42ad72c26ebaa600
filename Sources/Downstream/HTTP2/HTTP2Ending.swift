import Flow

/// Whether and why a connection of HTTP/2 ends: by a drain, in time, or because of what its client sent.
struct HTTP2Ending {
    /// How it ends now.
    enum Verdict: Equatable {
        case continues
        /// Everything was sent.
        case closes
        /// The client does not take what is left.
        case resets
    }

    private var abuse: HTTP2AbuseLimits
    /// What the client sent; `nil` unless the connection ends because of it.
    private(set) var fault: String?
    /// Whether weir ends it because of ``fault``, and not libnghttp2.
    private var isTerminated = false
    /// Whether the client knows that no further request is accepted.
    private(set) var isDraining = false
    /// Whether it closes as soon as GOAWAY is written.
    private(set) var isLeaving = false

    init(at now: Instant) { abuse = HTTP2AbuseLimits(at: now) }

    /// Counts a frame that costs work and requests nothing.
    ///
    /// - Returns: Whether it is within the limit.
    mutating func admits(_ kind: HTTP2AbuseLimits.Kind, at now: Instant) -> Bool { abuse.admits(kind, at: now) }

    /// A frame with bytes of a response was sent.
    mutating func frameSent() { abuse.frameSent() }

    /// weir ends the connection because of what the client sent.
    ///
    /// - Returns: Whether it has not before.
    mutating func terminate(because reason: String) -> Bool {
        guard !isTerminated else { return false }
        (isTerminated, fault) = (true, reason)
        return true
    }

    /// libnghttp2 ends the connection because of what the client sent.
    mutating func failed(because reason: String) {
        if fault == nil { fault = reason }
    }

    /// No further request is accepted.
    ///
    /// - Returns: Whether one was before.
    mutating func drain() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    /// weir closes the connection.
    ///
    /// - Returns: Whether it has not begun to.
    mutating func leave() -> Bool {
        defer { isLeaving = true }
        return !isLeaving
    }

    /// Whether the connection ends at the end of a turn.
    ///
    /// - Parameters:
    ///   - isDone: Whether the session will not read or write any more, after GOAWAY of either side.
    ///   - isWritable: Whether the socket has taken everything.
    ///   - hasStreams: Whether responses have not been taken.
    /// - Returns: How it ends, if it does.
    func verdict(isDone: Bool, isWritable: Bool, hasStreams: Bool) -> Verdict {
        if isLeaving { return .continues }
        if isTerminated, !isWritable { return .resets }
        return isDone && (isWritable || !hasStreams) ? .closes : .continues
    }
}
