/// Where a connection of HTTP/1.1 is in its sequence of requests and responses (RFC 9112, section 9.3).
///
///     waiting ──first byte──▶ receiving ──dispatched──▶ responding ──response written──▶ ending ──taken──▶ waiting
///                                                                                          └──▶ lingering ──▶ closed
///
/// A request is dispatched only after the client has taken the response before it: otherwise responses would pile up for a
/// client that sends requests and never reads.
struct RequestCycle {
    enum State: Equatable {
        /// For the first byte of a request.
        case waiting
        /// For the end of a request's head.
        case receiving
        case responding
        /// The response is written; the client may not have taken its end.
        case ending(ResponseEnd)
        /// The client may still be sending after its last response: closing now would reset the connection and with it the
        /// response (RFC 9112, section 9.6).
        case lingering
        case closed
    }

    /// What a request that cannot be read leads to.
    enum Fault: Equatable {
        /// It is answered, and the connection closes.
        case answered
        /// The body of the request that is being answered is malformed.
        case inBody
        case ignored
    }

    /// What follows a response that the client has taken.
    enum Continuation: Equatable {
        /// The next request; `isPending` if some of it has been received.
        case request(isPending: Bool)
        case linger
        case close
        /// Close without `close_notify`.
        case cut
    }

    /// What a deadline that has passed leads to.
    enum Expiry: Equatable {
        /// The head did not arrive in time.
        case rejectsHead
        case closes
        /// A request is being answered: other deadlines apply.
        case ignored
    }

    private(set) var state = State.waiting
    /// Whether the client keeps the connection open after the response to the request that was read last.
    private(set) var isPersistent = false
    /// Whether the client has not sent the end of its request's body.
    private var hasUnreadBody = false

    /// Bytes arrived.
    ///
    /// - Returns: Whether they are the first of a request.
    mutating func bytesArrived() -> Bool {
        guard state == .waiting else { return false }
        state = .receiving
        return true
    }

    /// Whether bytes that arrive are kept.
    var keepsBytes: Bool { state != .lingering && state != .closed }

    /// Whether the next part of a request may be read: one request is read at a time.
    ///
    /// - Parameters:
    ///   - hasRequest: Whether a request has been read and not dispatched.
    ///   - isNextRequest: Whether the next part belongs to another request.
    /// - Returns: Whether it may be read.
    func mayRead(hasRequest: Bool, isNextRequest: Bool) -> Bool {
        switch state {
        case .waiting, .receiving: !hasRequest || !isNextRequest
        case .responding, .ending: !isNextRequest
        case .lingering, .closed: false
        }
    }

    /// A head was read.
    ///
    /// - Parameters:
    ///   - hasBody: Whether a body follows it.
    ///   - isPersistent: Whether its client keeps the connection open after the response.
    /// - Returns: Whether its deadline ends; that of a response before it, which the client has not taken, does not.
    mutating func headArrived(hasBody: Bool, isPersistent: Bool) -> Bool {
        (hasUnreadBody, self.isPersistent) = (hasBody, isPersistent)
        if state == .waiting { state = .receiving }
        return state == .receiving
    }

    mutating func bodyEnded() { hasUnreadBody = false }

    /// The request that was read is passed to the handler.
    mutating func dispatched() { state = .responding }

    /// What was received is no request.
    mutating func faultArrived() -> Fault {
        switch state {
        case .waiting, .receiving:
            (state, hasUnreadBody) = (.responding, true)
            return .answered
        case .responding, .ending: return .inBody
        case .lingering, .closed: return .ignored
        }
    }

    /// The response is written.
    ///
    /// - Returns: Whether it was being written until now.
    mutating func responseEnded(_ end: ResponseEnd) -> Bool {
        guard state == .responding else { return false }
        state = .ending(end)
        return true
    }

    /// The client has taken the end of the response.
    ///
    /// - Parameters:
    ///   - end: How it ended.
    ///   - hasBytes: Whether bytes were received that have not been read.
    /// - Returns: What the connection does next.
    mutating func responseTaken(_ end: ResponseEnd, hasBytes: Bool) -> Continuation {
        let continuation: Continuation
        (state, continuation) =
            switch end {
            case .continues: (.waiting, .request(isPending: hasBytes))
            case .closes where hasUnreadBody || hasBytes: (.lingering, .linger)
            case .cuts where hasUnreadBody: (.lingering, .linger)
            case .closes: (.closed, .close)
            case .cuts: (.closed, .cut)
            }
        return continuation
    }

    /// The connection's deadline has passed.
    ///
    /// - Parameter hasRequest: Whether a request has been read and not dispatched.
    /// - Returns: What follows.
    func deadlinePassed(hasRequest: Bool) -> Expiry {
        switch state {
        case .receiving where !hasRequest: .rejectsHead
        case .responding: .ignored
        case .waiting, .receiving, .ending, .lingering, .closed: .closes
        }
    }

    mutating func closed() { state = .closed }
}
