import Flow
import Observability
import Testing

@Suite struct HealthWindowTests {
    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 77) + .seconds(seconds) }

    @Test func beforeAMinuteIsOverItLooksBackToItsBeginning() {
        let window = HealthWindow(at: at(0))
        let change = window.change(to: .init(records: 300, ends: 4, faults: 1), at: at(2))
        #expect(change.totals == .init(records: 300, ends: 4, faults: 1))
        #expect(change.time == .seconds(2))
        #expect(change.recordsPerSecond == 150)
        #expect(change.faultShare == 0.25)
    }

    @Test func withoutTimeOrEndsThereIsNoShare() {
        let change = HealthWindow(at: at(0)).change(to: .init(records: 5), at: at(0))
        #expect(change.recordsPerSecond == 0)
        #expect(change.faultShare == 0)
    }

    @Test func whatLoopsSawIsAddedAndTheirTimeIsNot() {
        var change = HealthWindow.Change(totals: .init(records: 1, ends: 2, faults: 1), time: .seconds(60))
        change += .init(totals: .init(records: 10, ends: 20, faults: 10), time: .seconds(62))
        #expect(change == .init(totals: .init(records: 11, ends: 22, faults: 11), time: .seconds(62)))
    }

    /// Against all observations, with loops that are sometimes late by up to half a minute.
    @Test(arguments: 0..<100)
    func itLooksBackAMinuteAndAStepAtMost(seed: Int) {
        var state = UInt64(seed) &+ 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var window = HealthWindow(at: at(0))
        var seen: [(second: Int, records: Int)] = [(0, 0)]
        var (now, records, longestGap) = (0, 0, 5)
        for _ in 0..<200 {
            let gap = random(40) == 0 ? random(30) : random(3)
            longestGap = max(longestGap, gap)
            now += gap
            records += random(100)
            window.passed(.init(records: records), at: at(now))
            seen.append((now, records))
            let change = window.change(to: .init(records: records), at: at(now))
            let lookedBackTo = now - Int(change.time / .seconds(1))
            #expect(seen.contains { $0.second == lookedBackTo && $0.records == records - change.totals.records })
            #expect(change.time >= .seconds(min(now, 60)))
            #expect(change.time < .seconds(65 + longestGap))
        }
    }
}
