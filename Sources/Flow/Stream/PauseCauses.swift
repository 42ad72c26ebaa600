/// The causes of an upstream's pause: it runs while there is none.
///
/// A set, not a flag: if one cause replaced another, the end of one would resume an upstream that another still pauses.
@frozen
package struct PauseCauses: OptionSet, Sendable {
    package let rawValue: UInt8

    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

    // As in `OptionSet`, without its calls through witness tables, which cost 1,000 instructions for `[]` in another module.

    @inlinable package init() { self.init(rawValue: 0) }

    @inlinable package var isEmpty: Bool { rawValue == 0 }

    @inlinable package func contains(_ causes: PauseCauses) -> Bool { rawValue & causes.rawValue == causes.rawValue }

    @inlinable package mutating func insert(_ causes: PauseCauses) {
        self = PauseCauses(rawValue: rawValue | causes.rawValue)
    }

    @inlinable package mutating func remove(_ causes: PauseCauses) {
        self = PauseCauses(rawValue: rawValue & ~causes.rawValue)
    }

    /// The queue reached its high mark.
    package static let queueFull = PauseCauses(rawValue: 1 << 0)
    /// The transfer has used its part of this turn of the event loop.
    package static let turnBudget = PauseCauses(rawValue: 1 << 1)
}
