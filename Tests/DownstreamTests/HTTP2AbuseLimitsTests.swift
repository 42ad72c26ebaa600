import Flow
import Testing

@testable import Downstream

@Suite struct HTTP2AbuseLimitsTests {
    private static let begin = Instant(nanoseconds: 1_000_000_000)

    @Test(arguments: [HTTP2AbuseLimits.Kind.resets, .malformed, .control, .emptyFrames])
    func twoHundredOfAKindAreBorneAtOnceAndInThirtySeconds(kind: HTTP2AbuseLimits.Kind) {
        var limits = HTTP2AbuseLimits(at: Self.begin)
        for _ in 0..<200 { #expect(limits.admits(kind, at: Self.begin)) }
        #expect(!limits.admits(kind, at: Self.begin))
        let later = Self.begin + .seconds(15)
        for _ in 0..<100 { #expect(limits.admits(kind, at: later)) }
        #expect(!limits.admits(kind, at: later))
    }

    @Test func kindsAreCountedApart() {
        var limits = HTTP2AbuseLimits(at: Self.begin)
        for _ in 0..<201 { _ = limits.admits(.resets, at: Self.begin) }
        #expect(limits.admits(.malformed, at: Self.begin))
    }

    @Test func aPingForEachFrameIsFree() {
        var limits = HTTP2AbuseLimits(at: Self.begin)
        for _ in 0..<1000 {
            limits.frameSent()
            #expect(limits.admits(.control, at: Self.begin))
        }
        for _ in 0..<1000 { limits.frameSent() }
        for _ in 0..<400 { #expect(limits.admits(.control, at: Self.begin)) }
        #expect(!limits.admits(.control, at: Self.begin))
    }
}
