/// 128 bits of keyed hashes, which take the place of a value of any length.
///
/// Equal digests count as equal values: among a million values two collide by chance once in 10²⁶ times, and because the hash
/// is seeded by each process, a client or upstream cannot construct a collision.
///
/// - Complexity: two hashes of the value.
struct KeyedDigest: Hashable, Sendable {
    private let first, second: Int

    /// - Parameter combine: Feeds the value; called twice.
    @inline(__always)
    init(_ combine: (inout Hasher) -> Void) {
        (first, second) = (Self.hash(combine, part: 1), Self.hash(combine, part: 2))
    }

    @inline(__always)
    private static func hash(_ combine: (inout Hasher) -> Void, part: UInt8) -> Int {
        var hasher = Hasher()
        hasher.combine(part)
        combine(&hasher)
        return hasher.finalize()
    }
}
