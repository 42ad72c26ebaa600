import Flow
import TestSupport
import Testing

@Suite struct MeterTests {
    private static let start = Instant.seconds(0)

    private func meter(_ rate: String, burst: Int = 1) throws -> Meter {
        Meter(pace: .limited(try .of(rate)), burst: burst, at: Self.start)
    }

    // MARK: On time

    @Test func theFirstRecordPassesAtOnceAndTheNextIsDueOneSpacingLater() throws {
        var meter = try meter("10/second")
        #expect(meter.available(at: Self.start) == 1)
        meter.take(1, at: Self.start, leavesWaiting: true)
        #expect(meter.available(at: Self.start) == 0)
        #expect(meter.nextDue == .seconds(0.1))
        #expect(meter.available(at: meter.nextDue.advanced(byNanoseconds: -1)) == 0)
        #expect(meter.available(at: meter.nextDue) == 1)
    }

    @Test(arguments: [
        ("2.5/second", 0.4), ("0.5/second", 2), ("1/minute", 60), ("2.5/minute", 24), ("1/hour", 3600),
        ("0.5/hour", 7200), ("1000/second", 0.001),
    ]) func keepsThePaceOfEveryUnit(rate: String, spacing: Double) throws {
        var meter = try meter(rate)
        for record in 0..<5 {
            let due = Instant.seconds(Double(record) * spacing)
            #expect(meter.nextDue == due)
            #expect(meter.available(at: due) == 1)
            meter.take(1, at: due, leavesWaiting: true)
        }
    }

    @Test func askingTakesNothing() throws {
        let meter = try meter("10/second", burst: 3)
        #expect(meter.available(at: Self.start) == 3)
        #expect(meter.available(at: Self.start) == 3)
    }

    // MARK: Bursts

    @Test func aBurstPassesBackToBackAfterAQuietTime() throws {
        var meter = try meter("10/second", burst: 3)
        #expect(meter.available(at: Self.start) == 3)
        meter.take(3, at: Self.start, leavesWaiting: true)
        #expect(meter.available(at: Self.start) == 0)
        #expect(meter.nextDue == .seconds(0.1))
        #expect(meter.available(at: .seconds(0.1)) == 1)
    }

    @Test func aBurstIsEarnedBackOneRecordASpacing() throws {
        var meter = try meter("10/second", burst: 3)
        meter.take(3, at: Self.start, leavesWaiting: false)
        #expect(meter.available(at: .seconds(0.2)) == 2)
        #expect(meter.available(at: .seconds(0.3)) == 3)
        #expect(meter.available(at: .seconds(100)) == 3)
    }

    @Test func afterAQuietTimeABurstOfOneAllowsNoDouble() throws {
        var meter = try meter("10/second")
        meter.take(1, at: Self.start, leavesWaiting: false)
        for quiet in [0.1, 0.149, 0.15, 0.199, 1, 10, 100_000] {
            let later = Instant.seconds(quiet)
            #expect(meter.available(at: later) == 1)
            var once = meter
            once.take(1, at: later, leavesWaiting: false)
            #expect(once.available(at: later.advanced(byNanoseconds: 99_999_999)) == 0)
        }
    }

    @Test func aHugeBurstDoesNotOverflow() throws {
        var meter = try meter("1/hour", burst: .max)
        let available = meter.available(at: Self.start)
        #expect(available > 100_000)
        meter.take(available, at: Self.start, leavesWaiting: true)
        #expect(meter.available(at: Self.start) == 0)
        #expect(meter.available(at: .seconds(3600)) == 1)
    }

    @Test(arguments: [Int.min, -1, 0, 1]) func aBurstIsAtLeastOne(burst: Int) throws {
        #expect(try meter("10/second", burst: burst).available(at: Self.start) == 1)
    }

    // MARK: Late wake-ups

    @Test func aWaitingRecordThatWeLetOutLateDoesNotDelayTheNext() throws {
        var meter = try meter("10/second")
        meter.take(1, at: Self.start, leavesWaiting: true)
        meter.take(1, at: .seconds(0.13), leavesWaiting: true)
        #expect(meter.nextDue == .seconds(0.2))
    }

    @Test func latenessOfTheUpstreamIsNotMadeUpFor() throws {
        var meter = try meter("10/second")
        meter.take(1, at: Self.start, leavesWaiting: false)
        meter.take(1, at: .seconds(0.13), leavesWaiting: true)
        #expect(meter.nextDue == .seconds(0.23))
    }

    @Test func noMoreLatenessThanTheForgivenIsMadeUpFor() throws {
        var meter = try meter("10/second")
        meter.take(1, at: Self.start, leavesWaiting: true)
        meter.take(1, at: .seconds(10), leavesWaiting: true)
        #expect(meter.nextDue == .seconds(10.05))
    }

    @Test func anEmptyTakeStillReportsThatRecordsWait() throws {
        var meter = try meter("10/second")
        meter.take(1, at: Self.start, leavesWaiting: false)
        meter.take(0, at: .seconds(0.05), leavesWaiting: true)
        meter.take(1, at: .seconds(0.12), leavesWaiting: true)
        #expect(meter.nextDue == .seconds(0.2))
    }

    @Test(arguments: 0..<20) func tenASecondIsTenASecondHoweverLateTheLoopWakes(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        var meter = try meter("10/second")
        var now = Self.start
        let records = 20_000
        for _ in 0..<records {
            now = meter.nextDue.advanced(byNanoseconds: Int64.random(in: 0...Meter.forgivenLateness, using: &random))
            #expect(meter.available(at: now) == 1)
            meter.take(1, at: now, leavesWaiting: true)
        }
        let rate = Double(records - 1) / (now - Self.start).inSeconds
        #expect(abs(rate - 10) / 10 < 0.001)
    }

    // MARK: The promise

    /// No window of time sees more than `burst + (d + lateness) / spacing` records, whatever is late and however it is called.
    @Test(arguments: 0..<200) func noWindowSeesMoreThanPromised(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let rates = ["10/second", "3/second", "2.5/second", "1000/second", "7/minute", "0.3/hour"]
        let rate = try Rate.of(rates[seed % rates.count])
        let burst = Int.random(in: 1...5, using: &random)
        var meter = Meter(pace: .limited(rate), burst: burst, at: Self.start)
        var now = Self.start
        var passed: [(at: Instant, total: Int)] = []
        var total = 0
        for _ in 0..<300 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: now = now.advanced(byNanoseconds: Int64.random(in: 0...4 * rate.spacing, using: &random))
            case 1: now = now.advanced(byNanoseconds: Int64.random(in: 0...100_000_000, using: &random))
            case 2: now = max(now, meter.nextDue)
            default: break
            }
            let available = meter.available(at: now)
            let taken = Int.random(in: 0...available, using: &random)
            meter.take(taken, at: now, leavesWaiting: Bool.random(using: &random))
            guard taken > 0 else { continue }
            passed.append((now, total))
            total += taken
            for window in passed {
                let length = (now - window.at).nanoseconds + Meter.forgivenLateness
                #expect(Int64(total - window.total) <= Int64(burst) + length / rate.spacing)
            }
        }
        #expect(total > 0)
    }

    // MARK: Extremes

    @Test(arguments: [1, 3, 1_000_000_000, Int.max]) func noPaymentAndNoDebtOverflows(count: Int) throws {
        let rates = ["0.000001/hour", "1/second", "999999999/second", "1/hour"]
        for (first, second) in rates.flatMap({ first in rates.map { (first, $0) } }) {
            for sign in [1, -1] {
                var meter = try meter(first)
                meter.take(1, at: Self.start, leavesWaiting: true)
                meter.take(sign * count, at: Self.start, leavesWaiting: true)
                for rate in [second, first, second] {
                    meter.change(pace: .limited(try #require(Rate(rate))), burst: 1, at: Self.start + .seconds(1))
                    meter.take(-sign * count, at: Self.start + .seconds(2), leavesWaiting: false)
                    #expect(meter.available(at: Self.start + .seconds(3)) >= 0)
                }
            }
        }
    }

    @Test func whatIsPaidBeyondTheDebtIsNotKept() throws {
        var meter = try meter("1/second")
        meter.take(1, at: Self.start, leavesWaiting: false)
        meter.take(-1000, at: Self.start, leavesWaiting: false)
        #expect(meter.available(at: Self.start) == 1)
    }

    // MARK: Without a limit

    @Test func anUnlimitedPaceLetsEverythingPassAtAnyTime() {
        var meter = Meter(pace: .unlimited, burst: 1, at: Self.start)
        #expect(meter.isUnlimited)
        meter.take(1_000_000, at: Self.start, leavesWaiting: true)
        #expect(meter.available(at: Self.start) == .max)
        #expect(meter.available(at: .distantPast) == .max)
        #expect(meter.available(at: .distantFuture) == .max)
    }

    @Test func aLimitedPaceReportsItsLimit() throws {
        #expect(try !meter("999999999/second").isUnlimited)
    }
}
