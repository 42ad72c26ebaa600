import Flow
import Testing

@Suite struct UpstreamFiguresTests {
    private let refused = UpstreamFailure(.connectionRefused, "refused")

    @Test func failuresAreLoggedOnceAMinute() {
        var figures = UpstreamFigures()
        let start = Instant(nanoseconds: 0)
        #expect(figures.failed(refused, at: start) == 1)
        #expect(figures.failed(refused, at: start + .seconds(1)) == nil)
        #expect(figures.failed(refused, at: start + .seconds(59)) == nil)
        #expect(figures.failed(UpstreamFailure(.reset, "x"), at: start + .seconds(60)) == 3)
        #expect(figures.failed(refused, at: start + .seconds(61)) == nil)
        #expect(figures.failures == 5)
        #expect(figures.lastFailure == refused)
        #expect(figures.failedAt == start + .seconds(61))
    }

    @Test func theFirstByteTimeFollowsTheLastOnes() {
        var figures = UpstreamFigures()
        #expect(figures.firstByte == nil)
        figures.headArrived(after: .milliseconds(80))
        #expect(figures.firstByte == .milliseconds(80))
        figures.headArrived(after: .milliseconds(160))
        #expect(figures.firstByte == .milliseconds(90))
        #expect(figures.heads == 2)
        #expect(figures.waited == .milliseconds(240))
    }
}
