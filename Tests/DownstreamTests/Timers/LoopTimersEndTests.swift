import Flow
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Downstream

/// Timers whose targets end.
@Suite struct LoopTimersEndTests {
    private final class Target: TimerTarget {
        private(set) lazy var timer = LoopTimer(target: self)
        private let onFire: (Target) -> Void
        private let onEnd: (Target) -> Void

        init(onFire: @escaping (Target) -> Void = { _ in }, onEnd: @escaping (Target) -> Void = { _ in }) {
            (self.onFire, self.onEnd) = (onFire, onEnd)
        }

        deinit { onEnd(self) }

        func timerFired(_ timer: LoopTimer, at now: Instant) { onFire(self) }
    }

    private let loop = EmbeddedEventLoop()
    private let timers: LoopTimers

    init() {
        let loop = loop
        timers = LoopTimers(on: loop) { Instant(loop.now) }
    }

    private static func milliseconds(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000) }

    @Test func theEndOfATargetRemovesItsTimer() {
        var fired = 0
        var ending: Target? = Target { _ in fired += 1 }
        let other = Target { _ in fired += 1 }
        if let ending { timers.set(ending.timer, at: Self.milliseconds(1)) }
        timers.set(other.timer, at: Self.milliseconds(2))
        ending = nil
        #expect(timers.count == 1)
        loop.advanceTime(by: .seconds(1))
        #expect(fired == 1)
    }

    /// As the last stream of a connection of HTTP/2 does, after the connection has cancelled its timer.
    @Test func aTimerThatIsSetWhileItsTargetEndsDoesNotFire() {
        var fired = 0
        var target: Target? = Target(
            onFire: { _ in fired += 1 }, onEnd: { [timers] in timers.set($0.timer, at: Self.milliseconds(1)) })
        weak let watched = target
        if let target { timers.cancel(target.timer) }
        target = nil
        #expect(watched == nil && timers.count == 0)
        loop.advanceTime(by: .seconds(1))
        #expect(fired == 0)
    }

    @Test func aSetTimerDoesNotKeepItsTarget() {
        weak var watched: Target?
        do {
            let target = Target()
            timers.set(target.timer, at: Self.milliseconds(1))
            watched = target
        }
        #expect(watched == nil)
    }

    @Test func aTargetMayEndAsItsTimerFires() {
        var targets: [Target] = []
        var fired = 0
        targets = (0..<3).map { _ in
            Target { _ in
                fired += 1
                targets.removeAll()
            }
        }
        for target in targets { timers.set(target.timer, at: Self.milliseconds(1)) }
        loop.advanceTime(by: .seconds(1))
        #expect(fired == 1 && targets.isEmpty && timers.count == 0)
    }

    @Test func aTargetMaySetItsTimerAgainAsItFiresAndThenEnd() {
        var target: Target?
        var fired = 0
        target = Target { [timers] in
            fired += 1
            timers.set($0.timer, at: Self.milliseconds(5))
            target = nil
        }
        if let target { timers.set(target.timer, at: Self.milliseconds(1)) }
        loop.advanceTime(by: .seconds(1))
        #expect(fired == 1 && timers.count == 0)
    }

    @Test func aTimerMayCancelAnotherThatIsDueInTheSameTurn() {
        var fired = 0
        let second = Target { _ in fired += 1 }
        let first = Target { [timers] _ in timers.cancel(second.timer) }
        timers.set(first.timer, at: Self.milliseconds(1))
        timers.set(second.timer, at: Self.milliseconds(1))
        loop.advanceTime(by: .seconds(1))
        #expect(fired == 0 && !second.timer.isSet)
    }

    @Test func theTimersMayEndBeforeTheirTargets() {
        let target = Target()
        var other: LoopTimers? = LoopTimers(on: loop) { Instant(nanoseconds: 0) }
        other?.set(target.timer, at: Self.milliseconds(1))
        other = nil
        timers.set(target.timer, at: Self.milliseconds(2))
        #expect(timers.count == 1, "it is set in one heap at a time")
        loop.advanceTime(by: .seconds(1))
        #expect(!target.timer.isSet)
    }

    @Test(arguments: 0..<10) func agreesWithADictionaryWhileTargetsComeAndGo(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var targets: [Target] = []
        var model: [ObjectIdentifier: Instant] = [:]
        var now: Instant { Instant(loop.now) }
        let onFire: (Target) -> Void = { target in
            #expect(model.removeValue(forKey: ObjectIdentifier(target)).map { $0 <= now } ?? false)
            // One in three ends as it fires, whichever target that is.
            if targets.count % 3 == 0 { model[ObjectIdentifier(targets.removeLast())] = nil }
        }
        for _ in 0..<5_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1: targets.append(Target(onFire: onFire))
            case 2 where !targets.isEmpty:
                let index = Int.random(in: targets.indices, using: &random)
                model[ObjectIdentifier(targets[index])] = nil
                targets.remove(at: index)
            case 3 where !targets.isEmpty:
                let target = targets[Int.random(in: targets.indices, using: &random)]
                timers.cancel(target.timer)
                model[ObjectIdentifier(target)] = nil
            case 4: loop.advanceTime(by: .nanoseconds(Int64.random(in: 0...4_000_000, using: &random)))
            default:
                guard let target = targets.randomElement(using: &random) else { continue }
                let due = now.advanced(byNanoseconds: Int64.random(in: -2_000_000...30_000_000, using: &random))
                timers.set(target.timer, at: due)
                model[ObjectIdentifier(target)] = due
            }
            #expect(timers.count == model.count)
        }
        loop.advanceTime(by: .seconds(1))
        #expect(timers.count == 0 && model.isEmpty)
    }
}
