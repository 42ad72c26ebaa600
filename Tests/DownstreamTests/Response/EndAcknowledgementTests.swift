import Flow
import Testing

@testable import Downstream

@Suite struct EndAcknowledgementTests {
    private let begin = Instant(nanoseconds: 1_000)

    @Test func theEndIsReachedByAllOfItsBytes() {
        let wait = EndAcknowledgement(of: 100, within: .seconds(1), at: begin)
        #expect(!wait.isReached(by: 99))
        #expect(wait.isReached(by: 100))
        #expect(wait.isReached(by: 101))
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
