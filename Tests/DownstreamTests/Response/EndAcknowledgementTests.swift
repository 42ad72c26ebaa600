import Flow
import Testing

@testable import Downstream

@Suite struct EndAcknowledgementTests {
    private let begin = Instant(nanoseconds: 1_000)

    @Test func theEndIsReachedByAllOfItsBytes() {
        var wait = EndAcknowledgement(of: 100, within: .seconds(1), at: begin)
        let isReached = [99, 100, 101].map { wait.isReached(by: $0, at: begin) }
        #expect(isReached == [false, true, true])
    }

    @Test func aClientThatTakesMoreIsNotGone() {
        var wait = EndAcknowledgement(of: 100, within: .milliseconds(15), at: begin)
        for (time, bytes) in [(0, 10), (14, 11), (28, 12), (42, 12)] {
            let now = begin + .milliseconds(time)
            let isReached = wait.isReached(by: bytes, at: now)
            #expect(!isReached && wait.nextLook(at: now) != nil)
        }
        let end = begin + .milliseconds(43)
        // Of a unix socket the count may fall.
        let isReached = wait.isReached(by: 11, at: end)
        #expect(!isReached && wait.nextLook(at: end) == nil)
    }

    @Test func theLooksBecomeRarer() {
        var wait = EndAcknowledgement(of: 100, within: .seconds(60), at: begin)
        let intervals = (0..<9).map { _ in wait.nextLook(at: begin).map { $0 - begin } }
        #expect(intervals == [10, 20, 40, 80, 160, 320, 640, 1000, 1000].map { .milliseconds($0) })
    }

    @Test func thereIsNoneAfterTheLimit() {
        var wait = EndAcknowledgement(of: 100, within: .milliseconds(15), at: begin)
        #expect(wait.nextLook(at: begin) == begin + .milliseconds(10))
        #expect(wait.nextLook(at: begin + .milliseconds(10)) == begin + .milliseconds(15))
        #expect(wait.nextLook(at: begin + .milliseconds(15)) == nil)
    }
}
