/// What a record is about, in 16 bytes: two records of one key say the same thing at different times.
///
/// 128 bits of keyed hashes, so that a key of any length costs the same and holds no memory. Equal keys are taken for
/// equal values: among a million keys two collide by chance once in 10²⁶ streams, and as the hash is seeded by each
/// process, nobody outside can make two that do.
package struct RecordKey: Hashable, Sendable {
    private let first, second: Int

    /// - Parameters:
    ///   - value: The bytes of the key.
    ///   - kind: Keeps values apart whose bytes are equal and whose types are not, as 1 and "1".
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

/// Finds the key of a record; the way to it, a JSON Pointer for one, is not Flow's business.
package protocol RecordKeyReader: Sendable {
    /// Reads the key of a record.
    ///
    /// - Parameter record: One whole record with its newline, valid during the call; anything an upstream may send.
    /// - Returns: The key, or `nil` where the record has none or cannot be read.
    func key(of record: UnsafeRawBufferPointer) -> RecordKey?
}
