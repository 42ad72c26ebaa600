package import NIOHTTP1

/// How far a transfer is with its request: whether it may be sent again, and whether libcurl waits for its body.
///
/// libcurl sends a request once more when a used connection turns out to be closed. That may be, and is no harm, unless
/// the first one was acted on, or some of its body is gone (RFC 9110, section 9.2.2).
struct Upload {
    /// What libcurl asks for at a time, and holds while the upstream does not take it.
    static let bufferSize = 32 << 10

    /// Whether the method allows it.
    var mayRepeat = false
    /// Whether libcurl waits for more of the body.
    var isHeld = false
    /// Whether more has come since.
    var hasMore = false
    /// Whether libcurl has got some of the body.
    var hasBegun = false
    /// Whether libcurl has asked what follows the body.
    var hasSentTrailers = false
    private var attempts = 0
    /// Whether it was not sent again.
    private(set) var wasRefused = false

    init(mayRepeat: Bool = false) { self.mayRepeat = mayRepeat }

    var canGoOn: Bool { isHeld && hasMore }

    /// The request is about to be sent.
    ///
    /// - Parameter isAnswered: Whether there was an answer to it already.
    /// - Returns: Whether it may be.
    mutating func begins(isAnswered: Bool) -> Bool {
        attempts += 1
        wasRefused = attempts > 1 && (isAnswered || hasBegun || !mayRepeat)
        return !wasRefused
    }
}

extension HTTPMethod {
    /// Whether two requests do what one does (RFC 9110, section 9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .GET, .HEAD, .OPTIONS, .TRACE, .PUT, .DELETE: true
        default: false
        }
    }
}
