import Flow
import NIOCore
import NIOEmbedded
import Testing

@testable import Downstream

@Suite struct DeadlineTests {
    /// The owner of a deadline, on a loop whose clock the test turns.
    private final class Owner: TimerTarget {
        let loop = EmbeddedEventLoop()
        let timers: LoopTimers
        var deadline = Deadline()
        private(set) var fires = 0
        private(set) var passed = 0

        init() {
            let loop = loop
            timers = LoopTimers(on: loop) { Instant(nanoseconds: Int64(loop.now.uptimeNanoseconds)) }
        }

        func timerFired(_ timer: LoopTimer, at now: Instant) {
            fires += 1
            if deadline.hasPassed(at: now, in: timers) { passed += 1 }
        }

        func set(seconds: Int64) { deadline.set(Instant(nanoseconds: seconds * 1_000_000_000), for: self, in: timers) }

        func advance(toSecond seconds: Int64) {
            loop.advanceTime(to: .uptimeNanoseconds(UInt64(seconds) * 1_000_000_000))
        }
    }

    private let owner = Owner()

    @Test func passesOnce() {
        owner.set(seconds: 10)
        owner.advance(toSecond: 9)
        #expect(owner.passed == 0 && owner.deadline.isSet)
        owner.advance(toSecond: 100)
        #expect(owner.passed == 1 && owner.fires == 1)
    }

    @Test func aLaterDeadlineKeepsTheTimerUntilItFires() {
        owner.set(seconds: 10)
        for seconds in 11...50 { owner.set(seconds: Int64(seconds)) }
        owner.advance(toSecond: 49)
        #expect(owner.passed == 0 && owner.fires == 1)
        owner.advance(toSecond: 50)
        #expect(owner.passed == 1 && owner.fires == 2)
    }

    @Test func anEarlierDeadlineMovesTheTimer() {
        owner.set(seconds: 50)
        owner.set(seconds: 10)
        owner.advance(toSecond: 10)
        #expect(owner.passed == 1 && owner.timers.count == 0)
    }

    @Test func aClearedDeadlineNeverPassesAndSetsNoTimerAgain() {
        owner.set(seconds: 10)
        owner.deadline.clear()
        #expect(!owner.deadline.isSet)
        owner.advance(toSecond: 100)
        #expect(owner.passed == 0 && owner.fires == 1 && owner.timers.count == 0)
        owner.set(seconds: 110)
        owner.advance(toSecond: 110)
        #expect(owner.passed == 1)
    }

    @Test func aCancelledDeadlineHasNoTimer() {
        owner.deadline.cancel(in: owner.timers)
        owner.set(seconds: 10)
        #expect(owner.timers.count == 1)
        owner.deadline.cancel(in: owner.timers)
        #expect(owner.timers.count == 0 && !owner.deadline.isSet)
    }
}
