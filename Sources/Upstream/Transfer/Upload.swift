import Flow
import HTTPText
package import NIOHTTP1

/// The state of a transfer's request: how much of its body libcurl has, whether libcurl waits for more, and whether the
/// request may be sent again.
///
/// libcurl sends a request again if a used connection turns out to be closed. That is allowed unless the first one may
/// have been acted on (RFC 9110, section 9.2.2), and possible if what was taken of its body is still known.
struct Upload {
    /// What libcurl asks for at a time, and holds while the upstream does not take it.
    static let bufferSize = 32 << 10
    /// The most of a body that is kept for a second attempt.
    static let maximumKept = 64 << 10

    let mayRepeat: Bool
    /// How the body was announced; `nil` if there is none.
    let announced: UpstreamRequest.Body?
    /// Whether libcurl waits for more of the body.
    var isHeld = false
    /// Whether more has arrived since.
    var hasMore = false
    /// What the client's side has passed of the body, and whether that is all of it.
    private var kept: KeptBody
    private var hasEnded: Bool
    private(set) var attempts = 0
    /// Whether a further attempt was not permitted.
    private(set) var wasRefused = false

    /// - Parameters:
    ///   - body: How the body was announced; `nil` if there is none.
    ///   - mayRepeat: Whether the method permits a second attempt.
    ///   - keepsBody: Whether there may be one: not on a new connection.
    init(_ body: UpstreamRequest.Body? = nil, mayRepeat: Bool = false, keepsBody: Bool = false) {
        self.mayRepeat = mayRepeat
        announced = body
        hasEnded = body == nil || body?.length == 0
        kept = KeptBody(upTo: mayRepeat && keepsBody && body != nil ? Self.maximumKept : 0)
    }

    /// Whether the upstream is asked for the body (`Expect: 100-continue`).
    var asksFirst: Bool { announced?.asksFirst ?? false }

    var canGoOn: Bool { isHeld && hasMore }

    /// Whether libcurl has got some of the body.
    var hasBegun: Bool { kept.taken > 0 }

    /// Whether libcurl has got all of the body: it sends that before the transfer is done, or reports an error.
    var isComplete: Bool { hasEnded && kept.isReplayed }

    /// The request is about to be sent.
    ///
    /// - Parameter isAnswered: Whether there was a response to it already.
    /// - Returns: Whether it may be.
    mutating func begins(isAnswered: Bool) -> Bool {
        attempts += 1
        wasRefused = attempts > 1 && (isAnswered || !mayRepeat || !kept.isWhole)
        return !wasRefused
    }

    /// libcurl asks for the body from its beginning.
    ///
    /// - Returns: Whether that is still known.
    mutating func rewind() -> Bool {
        let isRewound = kept.rewind()
        if !isRewound { wasRefused = true }
        return isRewound
    }

    /// Takes from what is kept, as far as this attempt has not had it.
    ///
    /// - Returns: The number of bytes put into `target`.
    mutating func replay(into target: UnsafeMutableRawBufferPointer) -> Int { kept.replay(into: target) }

    /// The next bytes of the body were handed to libcurl.
    mutating func took(_ bytes: UnsafeRawBufferPointer) {
        kept.took(bytes)
        if kept.taken == announced?.length { hasEnded = true }
    }

    mutating func ended() { hasEnded = true }

    /// There is no further attempt.
    mutating func forget() { kept.forget() }
}

extension HTTPMethod {
    /// Whether two requests do what one does.
    package var isIdempotent: Bool { MethodSemantics.isIdempotent(rawValue) }
}
