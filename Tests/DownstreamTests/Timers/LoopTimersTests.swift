import Flow
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Downstream

@Suite struct LoopTimersTests {
    /// Timers on a loop with a manual clock.
    private final class Clockwork: TimerTarget {
        let loop = EmbeddedEventLoop()
        private(set) var timers: LoopTimers
        private(set) var clockReads = 0
        /// The timers that fired, with the time that they got.
        private(set) var fired: [(timer: LoopTimer, at: Instant)] = []
        var onFire: (LoopTimer) -> Void = { _ in }

        init() {
            let loop = loop
            timers = LoopTimers(on: loop) { Instant(loop.now) }
            timers = LoopTimers(on: loop) { [unowned self] in
                clockReads += 1
                return now
            }
        }

        var now: Instant { Instant(loop.now) }

        func timerFired(_ timer: LoopTimer, at now: Instant) {
            #expect(now == self.now)
            #expect(!timer.isSet)
            fired.append((timer, now))
            onFire(timer)
        }

        func timer(at due: Instant? = nil) -> LoopTimer {
            let timer = LoopTimer(target: self)
            if let due { timers.set(timer, at: due) }
            return timer
        }

        func advance(to instant: Instant) {
            loop.advanceTime(to: .uptimeNanoseconds(UInt64(instant.nanoseconds)))
        }

        func hasFired(_ timers: LoopTimer...) -> Bool {
            fired.count == timers.count && zip(fired, timers).allSatisfy { $0.timer === $1 }
        }
    }

    private static func milliseconds(_ count: Double) -> Instant { Instant(nanoseconds: Int64(count * 1e6)) }

    // MARK: On time

    @Test func aTimerFiresOnceOnItsTick() {
        let clockwork = Clockwork()
        let timer = clockwork.timer(at: Self.milliseconds(10))
        #expect(timer.isSet && timer.due == Self.milliseconds(10))
        clockwork.advance(to: Self.milliseconds(9.999999))
        #expect(clockwork.fired.isEmpty)
        clockwork.advance(to: Self.milliseconds(10))
        #expect(clockwork.hasFired(timer))
        clockwork.advance(to: Self.milliseconds(1000))
        #expect(clockwork.hasFired(timer))
        #expect(clockwork.timers.count == 0)
    }

    @Test func aTimerBetweenTwoTicksFiresOnTheLater() {
        let clockwork = Clockwork()
        let timer = clockwork.timer(at: Self.milliseconds(10.000001))
        clockwork.advance(to: Self.milliseconds(10.999999))
        #expect(clockwork.fired.isEmpty)
        clockwork.advance(to: Self.milliseconds(11))
        #expect(clockwork.hasFired(timer))
    }

    @Test func aTimerThatIsDueAlreadyFiresOnTheNextTick() {
        let clockwork = Clockwork()
        clockwork.advance(to: Self.milliseconds(10.5))
        let timer = clockwork.timer(at: Self.milliseconds(3))
        clockwork.advance(to: Self.milliseconds(11))
        #expect(clockwork.hasFired(timer))
    }

    @Test func timersFireInTheOrderOfTheirInstants() {
        let clockwork = Clockwork()
        let third = clockwork.timer(at: Self.milliseconds(3.3))
        let first = clockwork.timer(at: Self.milliseconds(3.1))
        let fourth = clockwork.timer(at: Self.milliseconds(8))
        let second = clockwork.timer(at: Self.milliseconds(3.2))
        clockwork.advance(to: Self.milliseconds(20))
        #expect(clockwork.hasFired(first, second, third, fourth))
        #expect(clockwork.fired.map(\.at) == [4, 4, 4, 8].map(Self.milliseconds))
    }

    // MARK: Moving and cancelling

    @Test func aTimerMovesForwardAndBack() {
        let clockwork = Clockwork()
        let early = clockwork.timer(at: Self.milliseconds(50)), late = clockwork.timer(at: Self.milliseconds(10))
        clockwork.timers.set(early, at: Self.milliseconds(5))
        clockwork.timers.set(late, at: Self.milliseconds(60))
        #expect(clockwork.timers.count == 2)
        clockwork.advance(to: Self.milliseconds(59))
        #expect(clockwork.hasFired(early))
        clockwork.advance(to: Self.milliseconds(60))
        #expect(clockwork.hasFired(early, late))
    }

    @Test func aCancelledTimerDoesNotFire() {
        let clockwork = Clockwork()
        let timer = clockwork.timer(at: Self.milliseconds(10)), other = clockwork.timer(at: Self.milliseconds(10))
        clockwork.timers.cancel(timer)
        clockwork.timers.cancel(timer)
        #expect(!timer.isSet && clockwork.timers.count == 1)
        clockwork.advance(to: Self.milliseconds(20))
        #expect(clockwork.hasFired(other))
    }

    @Test func theFarFutureIsNoTime() {
        let clockwork = Clockwork()
        let timer = clockwork.timer(at: .distantFuture)
        #expect(!timer.isSet)
        clockwork.timers.set(timer, at: Self.milliseconds(10))
        clockwork.timers.set(timer, at: .distantFuture)
        #expect(!timer.isSet && clockwork.timers.count == 0)
        let almost = clockwork.timer(at: Instant(nanoseconds: .max - 1))
        #expect(almost.isSet)
        clockwork.advance(to: Self.milliseconds(1000))
        #expect(clockwork.fired.isEmpty)
    }

    // MARK: From inside a timer that fires

    @Test func aTimerMayCancelTheNext() {
        let clockwork = Clockwork()
        let first = clockwork.timer(at: Self.milliseconds(1.1)), second = clockwork.timer(at: Self.milliseconds(1.2))
        let third = clockwork.timer(at: Self.milliseconds(1.3))
        clockwork.onFire = { if $0 === first { clockwork.timers.cancel(second) } }
        clockwork.advance(to: Self.milliseconds(5))
        #expect(clockwork.hasFired(first, third))
    }

    @Test func aTimerMaySetItselfAgain() {
        let clockwork = Clockwork()
        let timer = clockwork.timer(at: Self.milliseconds(1))
        clockwork.onFire = {
            if clockwork.fired.count < 3 {
                clockwork.timers.set($0, at: clockwork.now.advanced(byNanoseconds: 1_500_000))
            }
        }
        clockwork.advance(to: Self.milliseconds(50))
        #expect(clockwork.hasFired(timer, timer, timer))
        #expect(clockwork.fired.map(\.at) == [1, 3, 5].map(Self.milliseconds))
    }

    @Test func aTimerThatIsSetForNowFiresInTheSameTurn() {
        let clockwork = Clockwork()
        let first = clockwork.timer(at: Self.milliseconds(1)), second = clockwork.timer()
        clockwork.onFire = { if $0 === first { clockwork.timers.set(second, at: clockwork.now) } }
        clockwork.advance(to: Self.milliseconds(1))
        #expect(clockwork.hasFired(first, second))
    }

    @Test func aTimerThatTheEndOfATurnSetsFires() {
        let clockwork = Clockwork()
        let first = clockwork.timer(at: Self.milliseconds(1)), second = clockwork.timer()
        clockwork.timers.turnEnded = {
            if clockwork.fired.count == 1 { clockwork.timers.set(second, at: Self.milliseconds(2)) }
        }
        clockwork.advance(to: Self.milliseconds(2))
        #expect(clockwork.hasFired(first, second))
    }

    // MARK: Turns

    @Test func timersOfOneTickShareOneTurn() {
        let clockwork = Clockwork()
        var turns = 0
        clockwork.timers.turnEnded = { turns += 1 }
        let timers = (0..<1000).map { clockwork.timer(at: Self.milliseconds(10 + Double($0 % 1000) / 1000)) }
        clockwork.advance(to: Self.milliseconds(11))
        #expect(clockwork.fired.count == timers.count)
        // The first one is on a tick of its own.
        #expect(turns == 2)
    }

    /// Found in review: between two ticks, each timer that was set asked the loop for a wake-up of its own.
    @Test func timersOfOneTickAskForOneWakeUp() {
        let clockwork = Clockwork()
        clockwork.onFire = { clockwork.timers.set($0, at: clockwork.now.advanced(byNanoseconds: 9_500_000)) }
        let timers = (0..<1000).map { _ in clockwork.timer(at: Self.milliseconds(10.5)) }
        #expect(clockwork.clockReads == 1, "one for the delay of the one wake-up")
        clockwork.advance(to: Self.milliseconds(11))
        #expect(clockwork.fired.count == timers.count)
        #expect(clockwork.clockReads == 3, "one for the turn, one for the delay of the next")
    }

    // MARK: Model

    @Test(arguments: 0..<10) func agreesWithASortedList(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let clockwork = Clockwork()
        let timers = (0..<60).map { _ in clockwork.timer() }
        var model: [ObjectIdentifier: Instant] = [:]
        for _ in 0..<10_000 {
            let timer = timers[Int.random(in: timers.indices, using: &random)]
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let due = clockwork.now.advanced(
                    byNanoseconds: Int64.random(in: -2_000_000...30_000_000, using: &random))
                clockwork.timers.set(timer, at: due)
                model[ObjectIdentifier(timer)] = due
            case 6, 7:
                clockwork.timers.cancel(timer)
                model[ObjectIdentifier(timer)] = nil
            default:
                let before = clockwork.fired.count
                clockwork.advance(
                    to: clockwork.now.advanced(byNanoseconds: Int64.random(in: 0...4_000_000, using: &random)))
                for (timer, at) in clockwork.fired[before...] {
                    let due = model.removeValue(forKey: ObjectIdentifier(timer))
                    #expect(due.map { $0 <= at } ?? false, "never early, and never one that was cancelled")
                }
                // What is left is not due, but for the rest of the running tick.
                let tick = clockwork.now.nanoseconds / LoopTimers.tick * LoopTimers.tick
                #expect(model.values.allSatisfy { $0.nanoseconds > tick - LoopTimers.tick })
            }
            #expect(clockwork.timers.count == model.count)
            #expect(timer.isSet == (model[ObjectIdentifier(timer)] != nil))
        }
        clockwork.advance(to: clockwork.now.advanced(byNanoseconds: 100_000_000))
        #expect(clockwork.timers.count == 0)
    }
}
