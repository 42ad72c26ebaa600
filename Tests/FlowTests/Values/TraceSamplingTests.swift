import Flow
import TestSupport
import Testing

@Suite struct TraceSamplingTests {
    /// Whether a trace with this id that begins here is sampled.
    private func takes(_ sampling: TraceSampling, _ id: UInt64, joining parents: [String] = []) -> Bool {
        var generator = Fixed(values: [1, id, 2])
        return TraceContext(joining: parents, sampling: sampling, using: &generator).isSampled
    }

    private struct Fixed: RandomNumberGenerator {
        var values: [UInt64]
        mutating func next() -> UInt64 { values.isEmpty ? 3 : values.removeFirst() }
    }

    @Test(arguments: [0, 1, 1 << 55, (1 << 56) - 1, .max] as [UInt64]) func allOrNone(id: UInt64) {
        #expect(takes(TraceSampling(share: 1), id))
        #expect(!takes(TraceSampling(share: 0), id))
        #expect(takes(TraceSampling(share: 7), id))
        #expect(!takes(TraceSampling(share: -1), id))
        #expect(!takes(.never, id))
    }

    @Test func thePartOfTheIdsThatIsRandomDecides() {
        let half = TraceSampling(share: 0.5)
        #expect(!takes(half, (1 << 55) - 1))
        #expect(takes(half, 1 << 55))
        #expect(!takes(half, 0xFF << 56))
        #expect(takes(half, 0xFF << 56 | 1 << 55))
    }

    @Test(arguments: [0.01, 0.25, 0.9]) func theShareOfManyTracesIsTaken(share: Double) {
        var generator = SeededGenerator(seed: 7)
        let sampling = TraceSampling(share: share)
        let taken = (0..<20_000).count { _ in
            TraceContext(joining: [], sampling: sampling, using: &generator).isSampled
        }
        #expect(abs(Double(taken) / 20_000 - share) < 0.02)
    }

    @Test(arguments: ["00", "01"]) func aClientsDecisionIsKept(flags: String) {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-" + flags
        for share in [0.0, 1] {
            #expect(takes(TraceSampling(share: share), 0, joining: [parent]) == (flags == "01"))
        }
    }
}
