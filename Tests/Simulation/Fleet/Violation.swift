/// An invariant that did not hold.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package let seed: Int
    /// Nanoseconds since the begin of the run.
    package let time: Int64
    package let text: String

    package var description: String { "seed \(seed), at \(Double(time) / 1e9) s: \(text)" }
}
