import Flow
import Testing

@testable import Downstream

@Suite struct HTTP2AbuseLimitsTests {
    private static let begin = Instant(nanoseconds: 1_000_000_000)

    /// How many of `count` events are admitted.
    private func admitted(
        _ count: Int, of kind: HTTP2AbuseLimits.Kind, by limits: inout HTTP2AbuseLimits, at now: Instant = begin
    ) -> Int {
        var admitted = 0
        for _ in 0..<count where limits.admits(kind, at: now) { admitted += 1 }
        return admitted
    }

    @Test(arguments: [HTTP2AbuseLimits.Kind.resets, .malformed, .control, .emptyFrames])
    func twoHundredOfAKindAreAdmittedAtOnceAndInThirtySeconds(kind: HTTP2AbuseLimits.Kind) {
        var limits = HTTP2AbuseLimits(at: Self.begin)
        let atOnce = admitted(201, of: kind, by: &limits)
        #expect(atOnce == 200)
        let later = admitted(101, of: kind, by: &limits, at: Self.begin + .seconds(15))
        #expect(later == 100)
    }

    @Test func kindsAreCountedApart() {
        var limits = HTTP2AbuseLimits(at: Self.begin)
        _ = admitted(201, of: .resets, by: &limits)
        let others = admitted(1, of: .malformed, by: &limits)
        #expect(others == 1)
    }

    @Test func aPingForEachFrameIsFree() {
        var limits = HTTP2AbuseLimits(at: Self.begin)
        var free = 0
        for _ in 0..<1000 {
            limits.frameSent()
            free += admitted(1, of: .control, by: &limits)
        }
        #expect(free == 1000)
        for _ in 0..<1000 { limits.frameSent() }
        let afterFrames = admitted(401, of: .control, by: &limits)
        #expect(afterFrames == 400)
    }
}
