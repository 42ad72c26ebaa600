/// The key of a record, in 16 bytes: two records of one key describe the same thing at different times.
///
/// A ``KeyedDigest``, so that a key of any length costs the same and holds no memory.
package struct RecordKey: Hashable, Sendable {
    private let digest: KeyedDigest

    /// Hashes a key.
    ///
    /// - Parameters:
    ///   - value: The bytes of the key.
    ///   - kind: Separates values with equal bytes and different types, such as 1 and "1".
    package init(_ value: UnsafeRawBufferPointer, kind: UInt8 = 0) {
        digest = KeyedDigest { hasher in
            hasher.combine(kind)
            hasher.combine(bytes: value)
        }
    }
}
