import TestSupport
import Testing

@testable import Flow

@Suite struct PullLifecycleTests {
    private func pull(linger: Duration = .seconds(5), readers: Int = 1) -> PullLifecycle {
        var pull = PullLifecycle(linger: linger)
        for _ in 0..<readers { _ = pull.joined() }
        return pull
    }

    @Test func theHeadIsPublishedOnce() {
        var pull = pull()
        #expect(pull.headArrived(nil) == .publishHead)
        #expect(pull.headArrived(nil) == .none)
        #expect(!pull.isStarting)
    }

    @Test func waitersOfARefusedHeadAreReleasedAtOnce() {
        var pull = pull(readers: 3)
        #expect(pull.headArrived(.setCookie) == .release(.setCookie))
        #expect(pull.joined() == false)
        #expect(pull.upstreamEnded() == .none)
        #expect(pull.left(3, at: .seconds(1)) == .none)
    }

    @Test(arguments: [false, true]) func withoutReadersItLingers(hasHead: Bool) {
        var pull = pull()
        if hasHead { _ = pull.headArrived(nil) }
        #expect(pull.left(at: .seconds(1)) == .setTimer(.seconds(6)))
        #expect(pull.isLingering)
        #expect(pull.deadlinePassed(at: .seconds(5)) == .none)
        #expect(pull.joined() == true)
        #expect(pull.deadlinePassed(at: .seconds(7)) == .none)
        #expect(pull.left(at: .seconds(8)) == .setTimer(.seconds(13)))
        #expect(pull.deadlinePassed(at: .seconds(13)) == .cancelUpstream)
        #expect(pull.joined() == false)
    }

    @Test func withoutLingerItEndsWithItsLastReader() {
        var pull = pull(linger: .zero, readers: 2)
        #expect(pull.left(at: .seconds(1)) == .none)
        #expect(pull.left(at: .seconds(1)) == .setTimer(.seconds(1)))
        #expect(pull.deadlinePassed(at: .seconds(1)) == .cancelUpstream)
        #expect(pull.upstreamEnded() == .none)
    }

    @Test(arguments: [false, true]) func theUpstreamsEndIsReportedOnce(hasHead: Bool) {
        var pull = pull()
        if hasHead { _ = pull.headArrived(nil) }
        #expect(pull.upstreamEnded() == .end)
        #expect(pull.upstreamEnded() == .none)
        #expect(pull.stop() == .none)
        #expect(pull.joined() == false)
    }

    @Test func theUpstreamMayEndWhileItLingers() {
        var pull = pull()
        _ = pull.headArrived(nil)
        _ = pull.left(at: .seconds(1))
        #expect(pull.upstreamEnded() == .end)
        #expect(pull.deadlinePassed(at: .seconds(9)) == .none)
    }

    /// Whatever happens, it ends exactly once, and a reader joins only before that.
    @Test(arguments: 0..<100) func endsOnce(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var pull = PullLifecycle(linger: .seconds(Int.random(in: 0...3, using: &random)))
        var (readers, ends, time) = (0, 0, 0.0)
        _ = pull.joined()
        readers = 1
        for _ in 0..<100 {
            time += Double.random(in: 0...2, using: &random)
            let action: PullLifecycle.Action
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<4:
                let joined = pull.joined()
                #expect(joined == (ends == 0))
                if joined { readers += 1 }
                action = .none
            case 4..<8 where readers > 0:
                readers -= 1
                action = pull.left(at: .seconds(time))
            case 8: action = pull.headArrived(Bool.random(using: &random) ? nil : .vary)
            case 9: action = pull.upstreamEnded()
            default: action = pull.deadlinePassed(at: .seconds(time))
            }
            switch action {
            case .release, .end: ends += 1
            case .cancelUpstream:
                ends += 1
                #expect(readers == 0)
            case .none, .publishHead, .setTimer: break
            }
            #expect(ends == (pull.isEnded ? 1 : 0))
            if ends == 0 { #expect(pull.readers == readers) }
        }
    }
}
