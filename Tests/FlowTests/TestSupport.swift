import Flow
import Testing

extension Instant {
    /// So many seconds after the start of the tests' clock, which lies well away from zero.
    static func seconds(_ seconds: Double) -> Instant {
        Instant(nanoseconds: 1_000_000_000_000 + Int64(seconds * 1e9))
    }
}

extension Rate {
    /// A rate that the test has written correctly.
    static func of(_ text: String) throws -> Rate { try #require(Rate(text)) }
}

/// A small generator whose walks can be repeated from their seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
