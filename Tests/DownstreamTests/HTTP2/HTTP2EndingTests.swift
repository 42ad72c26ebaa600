import Flow
import Testing

@testable import Downstream

@Suite struct HTTP2EndingTests {
    private static let begin = Instant(nanoseconds: 1_000_000_000)

    private func verdict(
        _ ending: HTTP2Ending, isDone: Bool = false, isWritable: Bool = true, hasStreams: Bool = false
    ) -> HTTP2Ending.Verdict {
        ending.verdict(isDone: isDone, isWritable: isWritable, hasStreams: hasStreams)
    }

    @Test(arguments: [true, false], [true, false]) func aConnectionContinuesWhileTheSessionDoes(
        isWritable: Bool, hasStreams: Bool
    ) {
        let ending = HTTP2Ending(at: Self.begin)
        #expect(verdict(ending, isWritable: isWritable, hasStreams: hasStreams) == .continues)
    }

    /// A client that has sent GOAWAY may still have to take what was written for its streams.
    @Test func aSessionThatIsDoneClosesAfterWhatWasWritten() {
        let ending = HTTP2Ending(at: Self.begin)
        #expect(verdict(ending, isDone: true) == .closes)
        #expect(verdict(ending, isDone: true, isWritable: false, hasStreams: true) == .continues)
        #expect(verdict(ending, isDone: true, isWritable: false) == .closes)
        #expect(verdict(ending, isDone: true, hasStreams: true) == .closes)
    }

    @Test func aClientThatSentTooMuchAndDoesNotReadIsReset() {
        var ending = HTTP2Ending(at: Self.begin)
        let first = ending.terminate(because: "one"), second = ending.terminate(because: "two")
        #expect(first && !second && ending.fault == "one")
        #expect(verdict(ending, isWritable: false, hasStreams: true) == .resets)
        #expect(verdict(ending) == .continues, "GOAWAY is sent first")
        #expect(verdict(ending, isDone: true) == .closes)
    }

    @Test func theFirstFaultIsReported() {
        var ending = HTTP2Ending(at: Self.begin)
        #expect(ending.fault == nil)
        ending.failed(because: "one")
        ending.failed(because: "two")
        #expect(ending.fault == "one")
        #expect(verdict(ending, isWritable: false) == .continues, "libnghttp2 sends its GOAWAY")
    }

    @Test func aDrainIsAnnouncedOnce() {
        var ending = HTTP2Ending(at: Self.begin)
        let drains = [ending.drain(), ending.drain()]
        #expect(drains == [true, false] && ending.isDraining)
        #expect(verdict(ending, hasStreams: true) == .continues)
    }

    @Test func aConnectionThatLeavesIsClosedOnce() {
        var ending = HTTP2Ending(at: Self.begin)
        let leaves = [ending.leave(), ending.leave()]
        #expect(leaves == [true, false])
        #expect(verdict(ending, isDone: true) == .continues)
    }

    @Test func abuseIsCounted() {
        var ending = HTTP2Ending(at: Self.begin)
        var admitted = 0
        for _ in 0..<300 where ending.admits(.resets, at: Self.begin) { admitted += 1 }
        #expect(admitted == 200)
    }
}
