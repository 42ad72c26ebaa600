import TestSupport
import Testing

@testable import Flow

@Suite struct PullLifecycleTests {
    private func pull(
        linger: Duration = .seconds(5), readers: Int = 1, limits: StreamMachine.Limits = .init()
    ) -> PullLifecycle {
        var pull = PullLifecycle(linger: linger, limits: limits, at: .seconds(0))
        for _ in 0..<readers { _ = pull.joined() }
        return pull
    }

    @Test func theHeadIsPublishedOnce() {
        var pull = pull()
        #expect(pull.headArrived(nil, at: .seconds(0)) == .publishHead)
        #expect(pull.headArrived(nil, at: .seconds(0)) == .none)
        #expect(!pull.isStarting)
    }

    @Test func waitersOfARefusedHeadAreReleasedAtOnce() {
        var pull = pull(readers: 3)
        #expect(pull.headArrived(.setCookie, at: .seconds(0)) == .release(.setCookie))
        #expect(pull.joined() == false)
        #expect(pull.upstreamEnded() == .none)
        pull.left(3, at: .seconds(1))
        #expect(pull.nextDeadline == .distantFuture)
    }

    @Test(arguments: [false, true]) func withoutReadersItLingers(hasHead: Bool) {
        var pull = pull()
        if hasHead { _ = pull.headArrived(nil, at: .seconds(0)) }
        pull.left(at: .seconds(1))
        #expect(pull.nextDeadline == .seconds(6))
        #expect(pull.isLingering)
        #expect(pull.deadlinePassed(at: .seconds(5)) == .none)
        #expect(pull.joined() == true)
        #expect(pull.deadlinePassed(at: .seconds(7)) == .none)
        pull.left(at: .seconds(8))
        #expect(pull.nextDeadline == .seconds(13))
        #expect(pull.deadlinePassed(at: .seconds(13)) == .cancelUpstream)
        #expect(pull.joined() == false)
    }

    @Test func withoutLingerItEndsWithItsLastReader() {
        var pull = pull(linger: .zero, readers: 2)
        pull.left(at: .seconds(1))
        #expect(pull.nextDeadline == .distantFuture)
        pull.left(at: .seconds(1))
        #expect(pull.nextDeadline == .seconds(1))
        #expect(pull.deadlinePassed(at: .seconds(1)) == .cancelUpstream)
        #expect(pull.upstreamEnded() == .none)
    }

    @Test(arguments: [false, true]) func theUpstreamsEndIsReportedOnce(hasHead: Bool) {
        var pull = pull()
        if hasHead { _ = pull.headArrived(nil, at: .seconds(0)) }
        #expect(pull.upstreamEnded() == .end)
        #expect(pull.upstreamEnded() == .none)
        #expect(pull.stop() == .none)
        #expect(pull.joined() == false)
    }

    @Test func theUpstreamMayEndWhileItLingers() {
        var pull = pull()
        _ = pull.headArrived(nil, at: .seconds(0))
        pull.left(at: .seconds(1))
        #expect(pull.upstreamEnded() == .end)
        #expect(pull.deadlinePassed(at: .seconds(9)) == .none)
    }

    @Test func aReaderThatEnteredKeepsItUntilItsReportArrives() {
        var pull = pull(linger: .seconds(1))
        pull.left(at: .seconds(1))
        pull.readerEntered()
        #expect(pull.deadlinePassed(at: .seconds(9)) == .none)
        #expect(pull.nextDeadline == .distantFuture)
        #expect(pull.joined() == true)
    }

    // MARK: A silent upstream

    @Test func anUpstreamWithoutAHeadIsGivenUpAlthoughReadersComeAndLeave() {
        var pull = pull(limits: .init(firstByte: .seconds(3), idle: .seconds(1)))
        #expect(pull.nextDeadline == .seconds(3))
        for second in 1...2 {
            #expect(pull.joined() == true)
            #expect(pull.deadlinePassed(at: .seconds(Double(second))) == .none)
            pull.left(at: .seconds(Double(second)))
        }
        #expect(pull.deadlinePassed(at: .seconds(3)) == .giveUp(.firstByte))
        // Another upstream has the whole time again.
        pull.attemptBegan(at: .seconds(3))
        #expect(pull.nextDeadline == .seconds(6))
        #expect(pull.deadlinePassed(at: .seconds(6)) == .giveUp(.firstByte))
        #expect(pull.upstreamEnded() == .end)
        #expect(pull.nextDeadline == .distantFuture)
        #expect(pull.deadlinePassed(at: .seconds(9)) == .none)
    }

    @Test func anUpstreamThatStopsSendingIsGivenUp() {
        var pull = pull(limits: .init(firstByte: .seconds(1), idle: .seconds(3)))
        _ = pull.headArrived(nil, at: .seconds(1))
        #expect(pull.nextDeadline == .seconds(4))
        pull.heard(0, at: .seconds(3))
        #expect(pull.deadlinePassed(at: .seconds(4)) == .none)
        #expect(pull.nextDeadline == .seconds(6))
        #expect(pull.deadlinePassed(at: .seconds(6)) == .giveUp(.idle))
    }

    @Test func anUpstreamThatIsNotReadIsNotSilent() {
        var pull = pull(limits: .init(betweenRecords: .seconds(2), idle: .seconds(3)))
        _ = pull.headArrived(nil, at: .seconds(0))
        pull.heard(1, at: .seconds(0))
        pull.setPaused(true, at: .seconds(1))
        #expect(pull.isPaused)
        #expect(pull.nextDeadline == .distantFuture)
        #expect(pull.deadlinePassed(at: .seconds(99)) == .none)
        pull.setPaused(false, at: .seconds(99))
        #expect(pull.nextDeadline == .seconds(101))
        #expect(pull.deadlinePassed(at: .seconds(101)) == .giveUp(.betweenRecords))
    }

    @Test func keepAlivesAreNoRecords() {
        var pull = pull(limits: .init(firstRecord: .seconds(5), betweenRecords: .seconds(2), idle: .seconds(3)))
        _ = pull.headArrived(nil, at: .seconds(1))
        for second in 2...4 { pull.heard(0, at: .seconds(Double(second))) }
        #expect(pull.deadlinePassed(at: .seconds(5)) == .giveUp(.firstRecord))
        pull.heard(1, at: .seconds(5))
        pull.heard(0, at: .seconds(6))
        #expect(pull.nextDeadline == .seconds(7))
        #expect(pull.deadlinePassed(at: .seconds(7)) == .giveUp(.betweenRecords))
    }

    /// Whatever happens, it ends exactly once, and a reader joins only before that.
    @Test(arguments: 0..<100) func endsOnce(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var pull = PullLifecycle(
            linger: .seconds(Int.random(in: 0...3, using: &random)),
            limits: .init(firstByte: .seconds(20), idle: .seconds(20)), at: .seconds(0))
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
                pull.left(at: .seconds(time))
                action = .none
            case 8: action = pull.headArrived(Bool.random(using: &random) ? nil : .vary, at: .seconds(time))
            case 9: action = pull.upstreamEnded()
            default: action = pull.deadlinePassed(at: .seconds(time))
            }
            switch action {
            case .release, .end: ends += 1
            case .cancelUpstream:
                ends += 1
                #expect(readers == 0)
            case .giveUp: #expect(ends == 0)
            case .none, .publishHead: break
            }
            #expect(ends == (pull.isEnded ? 1 : 0))
            if ends == 0 { #expect(pull.readers == readers) }
        }
    }
}
