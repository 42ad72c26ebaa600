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
    /// Bytes of the body that the client's side has handed over, and whether that is all of it.
    private var taken = 0
    private var hasEnded: Bool
    /// The bytes for a second attempt, and how many of them this attempt has sent.
    private var kept: [UInt8] = []
    private var keeps: Bool
    private var replayed = 0
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
        keeps = mayRepeat && keepsBody && body != nil
    }

    /// Whether the upstream is asked for the body (`Expect: 100-continue`).
    var asksFirst: Bool { announced?.asksFirst ?? false }

    var canGoOn: Bool { isHeld && hasMore }

    /// Whether libcurl has got some of the body.
    var hasBegun: Bool { taken > 0 }

    /// Whether libcurl has got all of the body: it sends that before the transfer is done, or reports an error.
    var isComplete: Bool { hasEnded && replayed == kept.count }

    /// The request is about to be sent.
    ///
    /// - Parameter isAnswered: Whether there was a response to it already.
    /// - Returns: Whether it may be.
    mutating func begins(isAnswered: Bool) -> Bool {
        attempts += 1
        wasRefused = attempts > 1 && (isAnswered || !mayRepeat || !canRewind)
        return !wasRefused
    }

    /// libcurl asks for the body from its beginning.
    ///
    /// - Returns: Whether that is still known.
    mutating func rewind() -> Bool {
        guard canRewind else {
            wasRefused = true
            return false
        }
        replayed = 0
        return true
    }

    /// Takes from what is kept, as far as this attempt has not had it.
    ///
    /// - Returns: The number of bytes put into `target`.
    mutating func replay(into target: UnsafeMutableRawBufferPointer) -> Int {
        let piece = kept[replayed...].prefix(target.count)
        target.copyBytes(from: piece)
        replayed += piece.count
        return piece.count
    }

    /// The next bytes of the body were handed to libcurl.
    mutating func took(_ bytes: UnsafeRawBufferPointer) {
        taken += bytes.count
        if taken == announced?.length { hasEnded = true }
        guard keeps else { return }
        guard taken <= Self.maximumKept else { return forget() }
        kept += bytes
        replayed = kept.count
    }

    mutating func ended() { hasEnded = true }

    /// There is no further attempt.
    mutating func forget() { (keeps, kept, replayed) = (false, [], 0) }

    private var canRewind: Bool { taken == kept.count }
}

extension HTTPMethod {
    /// Whether two requests do what one does.
    package var isIdempotent: Bool { MethodSemantics.isIdempotent(rawValue) }
}
