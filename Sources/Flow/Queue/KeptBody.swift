/// What was taken of a request's body, kept up to a limit so that the request can be sent again from its beginning.
///
/// An attempt first gets what is kept (``replay(into:)``), and then what has not been taken before (``took(_:)``).
///
/// - Complexity: one copy of each byte for keeping it, and one for each further attempt; none with a limit of 0.
package struct KeptBody: Sendable {
    /// 0 if nothing is kept, or nothing any more.
    private var limit: Int
    private var bytes: [UInt8] = []
    /// Bytes of the body that were taken.
    package private(set) var taken = 0
    /// How many of the kept bytes this attempt has got.
    private var replayed = 0

    /// - Parameter limit: The most bytes that are kept; of a longer body, none are.
    package init(upTo limit: Int = 0) { self.limit = limit }

    /// The memory of the kept bytes.
    package var memory: Int { bytes.capacity }

    /// Whether this attempt has got all that was taken.
    package var isReplayed: Bool { replayed == bytes.count }

    /// Whether the body can be sent from its beginning.
    package var isWhole: Bool { taken == bytes.count && (taken == 0 || limit > 0) }

    /// The next bytes of the body were taken; only after all that is kept was replayed.
    package mutating func took(_ piece: UnsafeRawBufferPointer) {
        taken += piece.count
        guard limit > 0 else { return }
        guard taken <= limit else { return forget() }
        // As an array grows, but not beyond the limit.
        if taken > bytes.capacity { bytes.reserveCapacity(min(limit, max(taken, 2 * bytes.capacity))) }
        bytes += piece
        replayed = bytes.count
    }

    /// The request is sent again.
    ///
    /// - Returns: Whether the body's beginning is known; if not, nothing has changed.
    package mutating func rewind() -> Bool {
        guard isWhole else { return false }
        replayed = 0
        return true
    }

    /// Copies the next of the kept bytes.
    ///
    /// - Returns: The number of bytes put into `target`; 0 once the attempt has got all.
    package mutating func replay(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard !isReplayed else { return 0 }
        let piece = bytes[replayed...].prefix(target.count)
        target.copyBytes(from: piece)
        replayed += piece.count
        if limit == 0, isReplayed { drop() }
        return piece.count
    }

    /// There is no further attempt: what the present one has not got yet remains until it has.
    package mutating func forget() {
        limit = 0
        if isReplayed { drop() }
    }

    /// Nothing more of the body is sent.
    package mutating func drop() { (limit, bytes, replayed) = (0, [], 0) }
}
