import Flow
import TestSupport
import Testing

@Suite struct BurstSpreadTests {
    /// A record on its way: when it arrived and when it was sent.
    private struct Passage {
        let arrived: Instant
        let sent: Instant
        var delay: Duration { sent - arrived }
    }

    /// Sends each record when it is due, as a stream does whose client always has room.
    private func passages(
        of arrivals: [(at: Instant, records: Int)], atMost maximum: Duration
    ) -> [Passage] {
        var spread = BurstSpread(atMost: maximum, at: .seconds(0))
        var (waiting, passed): ([Instant], [Passage]) = ([], [])
        func send(until end: Instant) {
            while !waiting.isEmpty, spread.nextDue <= end {
                let now = max(spread.nextDue, passed.last?.sent ?? .seconds(0), waiting[0])
                let count = min(waiting.count, spread.available(at: now))
                guard count > 0, now <= end else { return }
                spread.take(count)
                passed += waiting.prefix(count).map { Passage(arrived: $0, sent: now) }
                waiting.removeFirst(count)
            }
        }
        for (at, records) in arrivals {
            send(until: at)
            let before = waiting.count
            waiting += Array(repeating: at, count: records)
            spread.arrived(waiting: waiting.count, before: before, at: at)
            send(until: at)
        }
        send(until: .distantFuture)
        return passed
    }

    private func gaps(_ passages: some Collection<Passage>) -> [Duration] {
        zip(passages, passages.dropFirst()).map { $1.sent - $0.sent }
    }

    @Test func theFirstBurstPassesAtOnceAndTheOthersEvenly() {
        let arrivals = (0..<10).map { (at: Instant.seconds(2 * Double($0)), records: 100) }
        let passed = passages(of: arrivals, atMost: .seconds(2))
        #expect(passed.count == 1000)
        #expect(passed.prefix(100).allSatisfy { $0.delay == .zero })
        let gaps = gaps(passed.dropFirst(100))
        #expect(gaps.allSatisfy { $0 == .milliseconds(20) })
    }

    @Test func theMaximumDelayEndsTheSpread() {
        let arrivals = (0..<10).map { (at: Instant.seconds(2 * Double($0)), records: 100) }
        let passed = passages(of: arrivals, atMost: .milliseconds(400))
        #expect(passed.allSatisfy { $0.delay < .milliseconds(400) })
        #expect(gaps(passed[100..<200]).allSatisfy { $0 == .milliseconds(4) })
    }

    @Test func recordsThatArriveEvenlyAreNotDelayed() {
        for milliseconds in [1, 10, 50, 1000] {
            let arrivals = (0..<50).map { (at: Instant.seconds(Double($0 * milliseconds) / 1000), records: 1) }
            #expect(passages(of: arrivals, atMost: .milliseconds(400)).allSatisfy { $0.delay < .microseconds(1) })
        }
    }

    @Test func thePartsOfABurstAreOne() {
        let arrivals = (0..<40).map {
            (at: Instant.seconds(Double($0 / 4) + Double($0 % 4) * 0.002), records: 25)
        }
        let passed = passages(of: arrivals, atMost: .seconds(1))
        #expect(passed.count == 1000)
        let gaps = gaps(passed.dropFirst(200)).sorted()
        #expect(gaps[gaps.count / 2] >= .milliseconds(9) && gaps[gaps.count - 1] <= .milliseconds(45))
    }

    @Test func aPauseDelaysNothingForLonger() {
        let times = [0, 0.1, 0.2, 0.3, 60, 60.1, 60.2]
        let passed = passages(of: times.map { (.seconds($0), 10) }, atMost: .milliseconds(400))
        #expect(passed.count == 70 && passed.allSatisfy { $0.delay < .milliseconds(200) })
    }

    /// However records arrive, each is sent in order, and in time.
    @Test(arguments: 0..<50) func noRecordIsLaterThanTheMaximum(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var (now, arrivals): (Instant, [(at: Instant, records: Int)]) = (.seconds(0), [])
        for _ in 0..<300 {
            let longest = Bool.random(using: &random) ? 5_000 : 900_000
            now = now + .microseconds(Int.random(in: 0...longest, using: &random))
            arrivals.append((now, Int.random(in: 1...60, using: &random)))
        }
        let passed = passages(of: arrivals, atMost: .milliseconds(300))
        #expect(passed.count == arrivals.reduce(0) { $0 + $1.records })
        #expect(passed.allSatisfy { $0.delay >= .zero && $0.delay <= .milliseconds(300) })
        #expect(gaps(passed).allSatisfy { $0 >= .zero })
    }

    @Test func aReleaseLetsEverythingPass() {
        var spread = BurstSpread(atMost: .seconds(1), at: .seconds(0))
        spread.arrived(waiting: 10, before: 0, at: .seconds(0))
        spread.take(10)
        spread.arrived(waiting: 10, before: 0, at: .seconds(1))
        #expect(spread.available(at: .seconds(1)) == 1)
        spread.release(at: .seconds(1))
        #expect(spread.available(at: .seconds(1)) == .max)
        spread.take(.max)
        #expect(spread.nextDue == .seconds(1))
    }

    @Test func aClientThatWasLateGetsAllThatIsDue() {
        var spread = BurstSpread(atMost: .seconds(1), at: .seconds(0))
        for second in 0..<2 {
            spread.arrived(waiting: 10, before: 0, at: .seconds(Double(second)))
            if second == 0 { spread.take(10) }
        }
        #expect(spread.available(at: .seconds(1)) == 1)
        #expect(spread.available(at: .seconds(1.45)) == 5)
        #expect(spread.available(at: .seconds(9)) >= 10)
        spread.take(1_000_000_000)
        #expect(spread.nextDue > .seconds(9))
    }
}
