import Flow
import TestSupport
import Testing

@Suite struct DrainScheduleTests {
    private let start = Instant(nanoseconds: 7)

    @Test func oneStreamHasTheWholeGrace() {
        let schedule = DrainSchedule(streams: 1, grace: .seconds(30), at: start)
        #expect(schedule.nextEnd(open: 1) == start + .seconds(30))
        #expect(schedule.streamsToEnd(open: 1, at: start + .milliseconds(29_999)) == 0)
        #expect(schedule.streamsToEnd(open: 1, at: start + .seconds(30)) == 1)
    }

    @Test func manyGoAtEqualDistances() {
        let schedule = DrainSchedule(streams: 4, grace: .seconds(8), at: start)
        var now = start
        for open in stride(from: 4, to: 0, by: -1) {
            now = schedule.nextEnd(open: open) ?? now
            #expect(now == start + .seconds(2 * (5 - open)))
            #expect(schedule.streamsToEnd(open: open, at: now) == 1)
        }
        #expect(schedule.nextEnd(open: 0) == nil)
    }

    @Test func whatEndsOfItselfIsAStepOfTheStair() {
        let schedule = DrainSchedule(streams: 4, grace: .seconds(8), at: start)
        #expect(schedule.streamsToEnd(open: 2, at: start + .seconds(3)) == 0)
        #expect(schedule.nextEnd(open: 2) == start + .seconds(6))
    }

    @Test func aLateTimerEndsMoreStreams() {
        let schedule = DrainSchedule(streams: 4, grace: .seconds(8), at: start)
        #expect(schedule.streamsToEnd(open: 4, at: start + .seconds(5)) == 2)
        #expect(schedule.streamsToEnd(open: 4, at: start + .seconds(9)) == 4)
    }

    @Test func withoutAGraceAllGoAtOnce() {
        let schedule = DrainSchedule(streams: 3, grace: .zero, at: start)
        #expect(schedule.nextEnd(open: 3) == start)
        #expect(schedule.streamsToEnd(open: 3, at: start) == 3)
    }

    @Test func noTimeAndNoCountOverflows() {
        let schedule = DrainSchedule(streams: 20_000, grace: .nanoseconds(.max / 2), at: start)
        #expect(schedule.streamsToEnd(open: 20_000, at: start + .nanoseconds(.max / 4 + 1)) == 10_000)
        #expect(schedule.nextEnd(open: 1) == start + .nanoseconds(.max / 2))
    }

    /// Whatever ends by itself, and however late the timer is: no stream ends while fewer are open than the schedule allows,
    /// each timer has a stream to end, and none is left at the end of the grace.
    @Test(arguments: 0..<100) func agreesWithAPlainModel(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let streams = Int.random(in: 1...50, using: &random)
        let grace = Int64.random(in: 1...100_000, using: &random)
        let schedule = DrainSchedule(streams: streams, grace: .nanoseconds(grace), at: start)
        var open = streams
        while open > 0 {
            open -= Int.random(in: 0...1, using: &random)
            guard let due = schedule.nextEnd(open: open) else { break }
            let late = Int64.random(in: 0...(grace / 4), using: &random)
            let now = due.advanced(byNanoseconds: late)
            let passed = Double((now - start).nanoseconds) / Double(grace)
            let ending = schedule.streamsToEnd(open: open, at: now)
            #expect(ending >= 1 && ending <= open)
            #expect(Double(open - ending) <= max(0, Double(streams) * (1 - passed)) + 1)
            #expect(open - ending >= Int(max(0, Double(streams) * (1 - passed))) - 1)
            open -= ending
            if passed >= 1 { #expect(open == 0) }
        }
    }
}
