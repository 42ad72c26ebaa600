import Flow
import Testing

@testable import Downstream

@Suite struct EndAcknowledgementTests {
    private let begin = Instant(nanoseconds: 1_000)

    private func wait(of time: Duration) -> EndAcknowledgement { EndAcknowledgement(of: 100, within: time, at: begin) }

    /// When to look next, counted from the begin; `nil` if the client has the end or is gone.
    private func next(_ look: EndAcknowledgement.Look) -> Duration? {
        if case .partial(let next) = look { next - begin } else { nil }
    }

    @Test(arguments: [99: false, 100: true, 101: true])
    func theEndIsReachedByAllOfItsBytes(bytes: Int, isReached: Bool) {
        var wait = wait(of: .seconds(1))
        let look = wait.look(at: bytes, begin)
        #expect((look == .whole) == isReached)
    }

    @Test func aClientThatTakesMoreIsNotGone() {
        var wait = wait(of: .milliseconds(15))
        for (time, bytes) in [(0, 10), (14, 11), (28, 12), (42, 12)] {
            let look = wait.look(at: bytes, begin + .milliseconds(time))
            #expect(next(look) != nil)
        }
        // Of a unix socket the count may fall.
        let last = wait.look(at: 11, begin + .milliseconds(43))
        #expect(last == .gone)
    }

    @Test func theEndIsSeenAfterTheLimitAsWell() {
        var wait = wait(of: .milliseconds(15))
        let look = wait.look(at: 100, begin + .seconds(1))
        #expect(look == .whole)
    }

    @Test func theLooksBecomeRarer() {
        var wait = wait(of: .seconds(60))
        let intervals = (0..<9).map { _ in next(wait.look(at: 0, begin)) }
        #expect(intervals == [10, 20, 40, 80, 160, 320, 640, 1000, 1000].map { .milliseconds($0) })
    }

    @Test func theLastLookIsAtTheLimit() {
        var wait = wait(of: .milliseconds(15))
        let looks = [0, 10, 15].map { wait.look(at: 0, begin + .milliseconds($0)) }
        #expect(looks.map(next) == [.milliseconds(10), .milliseconds(15), nil])
        #expect(looks.last == .gone)
    }
}
