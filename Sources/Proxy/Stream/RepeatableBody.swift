import Downstream
import Flow

/// A stream's request body on its way to an upstream: what the client sends, and what is kept of it for another attempt.
struct RepeatableBody {
    /// Until the rest is not needed; `nil` for a request without a body.
    private(set) var source: RequestBody?
    private var kept: KeptBody
    /// The rest was given up: an attempt would send the request without its body.
    private var isGivenUp = false

    /// - Parameters:
    ///   - source: The body; `nil` for a request without one.
    ///   - limit: The most bytes that are kept of it.
    init(_ source: RequestBody?, keepingUpTo limit: Int) { (self.source, kept) = (source, KeptBody(upTo: limit)) }

    /// The memory of what is kept.
    var memory: Int { kept.memory }

    /// Whether another attempt can send it from its beginning.
    var isWhole: Bool { !isGivenUp && kept.isWhole }

    /// An attempt begins.
    mutating func rewind() { _ = kept.rewind() }

    /// Copies what an earlier attempt has taken.
    ///
    /// - Returns: The number of bytes; 0 if the next ones are to be taken from ``source``.
    mutating func replay(into target: UnsafeMutableRawBufferPointer) -> Int { kept.replay(into: target) }

    /// Bytes were taken from ``source``.
    mutating func took(_ bytes: UnsafeRawBufferPointer) { kept.took(bytes) }

    /// There is no further attempt.
    mutating func forget() { kept.forget() }

    /// The rest is not needed, and nothing is sent again.
    mutating func end() {
        if source != nil { isGivenUp = true }
        source = nil
        kept.drop()
    }
}
