/// The names of a head's fields, as a set that is sometimes wrong with yes and never with no (a Bloom filter).
///
/// weir looks for a dozen fields in each head, most of which most heads do not have: this answers without a search. Each name
/// is one of 64 bits, chosen by its length and its first letter so that the names that weir looks for differ from frequent ones.
package struct FieldNames: Equatable, Sendable {
    @usableFromInline var bits: UInt64 = 0

    package init() {}

    /// Of a head whose names are not known.
    package static var any: FieldNames {
        var names = FieldNames()
        names.bits = .max
        return names
    }

    @inlinable package mutating func insert(_ name: String) { bits |= Self.bit(of: name) }

    /// Whether a field of this name, in any case, may have been inserted.
    @inlinable package func mayContain(_ name: String) -> Bool { bits & Self.bit(of: name) != 0 }

    @inlinable static func bit(of name: String) -> UInt64 {
        let letter = UInt64((name.utf8.first ?? 0) & 0x1F)
        return 1 << ((UInt64(name.utf8.count) &* 5 &+ letter) & 63)
    }
}
