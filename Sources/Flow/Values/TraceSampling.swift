/// The share of the traces that begin here and are recorded.
///
/// The trace's id decides, so that all that use the same share record the same traces (OpenTelemetry, probability sampling:
/// of its 56 lowest bits, which are random, it is compared with a threshold).
package struct TraceSampling: Equatable, Sendable {
    /// No trace.
    package static let never = TraceSampling(share: 0)

    private static let range: UInt64 = 1 << 56
    /// Ids below it are not sampled.
    private let threshold: UInt64

    /// - Parameter share: 0 samples no trace, 1 samples all; other values are limited to that.
    package init(share: Double) {
        threshold = Self.range - UInt64((min(max(share, 0), 1) * Double(Self.range)).rounded())
    }

    /// Whether a trace is recorded whose id ends with these bits.
    func takes(_ id: UInt64) -> Bool { id & (Self.range - 1) >= threshold }
}
