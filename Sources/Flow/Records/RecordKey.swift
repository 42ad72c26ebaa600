/// The key of a record, in 16 bytes: two records of one key describe the same thing at different times.
///
/// 128 bits of keyed hashes, so that a key of any length costs the same and holds no memory. Equal hashes count as
/// equal keys: among a million keys two collide by chance once in 10²⁶ streams, and because the hash is seeded by each
/// process, a client or upstream cannot construct a collision.
package struct RecordKey: Hashable, Sendable {
    private let first, second: Int

    /// Hashes a key.
    ///
    /// - Parameters:
    ///   - value: The bytes of the key.
    ///   - kind: Separates values with equal bytes and different types, such as 1 and "1".
    package init(_ value: UnsafeRawBufferPointer, kind: UInt8 = 0) {
        first = Self.hash(value, kind: kind, part: 1)
        second = Self.hash(value, kind: kind, part: 2)
    }

    private static func hash(_ value: UnsafeRawBufferPointer, kind: UInt8, part: UInt8) -> Int {
        var hasher = Hasher()
        hasher.combine(part)
        hasher.combine(kind)
        hasher.combine(bytes: value)
        return hasher.finalize()
    }
}
