import Flow

extension TraceContext {
    /// A sampled context with the same ids in each test.
    static func test(joining parent: String = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") -> TraceContext
    {
        var generator = Counting()
        return TraceContext(joining: [parent], sampling: TraceSampling(share: 1), using: &generator)
    }

    private struct Counting: RandomNumberGenerator {
        var value: UInt64 = 0xA
        mutating func next() -> UInt64 {
            defer { value += 1 }
            return value
        }
    }
}

extension Instant {
    static let test = Instant(nanoseconds: 5_000_000_000)
}
