/// Why an upstream is paused: it runs when no cause is left.
///
/// A set, not a flag: were the causes overwritten, the end of one would lift a pause that another still needs.
package struct PauseCauses: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The queue reached its high mark.
    package static let queueFull = PauseCauses(rawValue: 1 << 0)
    /// The transfer had its share of this turn of the event loop.
    package static let turnBudget = PauseCauses(rawValue: 1 << 1)
}
