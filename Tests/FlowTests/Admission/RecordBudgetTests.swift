import Flow
import TestSupport
import Testing

@Suite struct RecordBudgetTests {
    @Test func afterQuietTimeOneSecondsRecordsMayLeaveAtOnce() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("100/second")), at: .seconds(0))
        var atOnce = 0, last: RecordBudget.Lease?
        while true {
            let lease = budget.draw(upTo: 1000, after: last, at: .seconds(0))
            guard lease.notBefore <= .seconds(0) else {
                #expect(lease.notBefore == .seconds(0.01))
                break
            }
            (atOnce, last) = (atOnce + lease.records, lease)
        }
        #expect(atOnce == 100)
    }

    @Test func aRateBelowOneASecondHasABurstOfOne() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("6/minute")), at: .seconds(0))
        #expect(!budget.isSpent(at: .seconds(0)))
        let first = budget.draw(upTo: 10, after: nil, at: .seconds(0))
        #expect(first.records == 1)
        #expect(first.notBefore == .seconds(0))
        let second = budget.draw(upTo: 10, after: first, at: .seconds(0))
        #expect(second.records == 1)
        #expect(second.notBefore == .seconds(10))
    }

    @Test func aLeaseIsWhatAShareBringsInARound() throws {
        let rate = try Rate.of("10000/second")
        var alone = RecordBudget(RecordAllowance(rate: rate), at: .seconds(0))
        #expect(alone.draw(upTo: 1000, after: nil, at: .seconds(0)).records == 160)
        var shared = RecordBudget(RecordAllowance(rate: rate), at: .seconds(0))
        let sizes = (0..<4).map { _ in shared.draw(upTo: 1000, after: nil, at: .seconds(0)).records }
        #expect(sizes == [160, 80, 53, 40])
        // In the next round all four are known from the start; two rounds later none is.
        #expect(shared.draw(upTo: 1000, after: nil, at: .seconds(0.016)).records == 40)
        #expect(shared.draw(upTo: 1000, after: nil, at: .seconds(0.064)).records == 160)
    }

    @Test func aStreamThatDrawsTwiceInARoundCountsOnce() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("10000/second")), at: .seconds(0))
        let first = budget.draw(upTo: 5, after: nil, at: .seconds(0))
        let second = budget.draw(upTo: 1000, after: first, at: .seconds(0.001))
        #expect(first.records == 5)
        #expect(second.records == 160)
    }

    @Test func moreStreamsThanRecordsGetOneEach() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("100/second")), at: .seconds(0))
        for _ in 0..<50 { #expect(budget.draw(upTo: 9, after: nil, at: .seconds(0)).records == 1) }
    }

    @Test func whatIsGivenBackIsThereForOthers() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("1000/second")), at: .seconds(0))
        while !budget.isSpent(at: .seconds(0)) { _ = budget.draw(upTo: 16, after: nil, at: .seconds(0)) }
        let before = budget.retryAfter(at: .seconds(0))
        let lease = budget.draw(upTo: 16, after: nil, at: .seconds(0))
        budget.giveBack(lease.records, at: .seconds(0))
        #expect(budget.retryAfter(at: .seconds(0)) == before)
    }

    @Test func givingBackFillsItToTheBurstAndNoFurther() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("1000/second")), at: .seconds(0))
        let lease = budget.draw(upTo: 16, after: nil, at: .seconds(0))
        #expect(!budget.isIdle(at: .seconds(0)))
        budget.giveBack(lease.records, at: .seconds(10))
        budget.giveBack(.max, at: .seconds(10))
        #expect(budget.isIdle(at: .seconds(10)))
        var atOnce = 0, last: RecordBudget.Lease?
        for _ in 0..<1001 {
            let lease = budget.draw(upTo: 1, after: last, at: .seconds(10))
            if lease.notBefore <= .seconds(10) { atOnce += lease.records }
            last = lease
        }
        #expect(atOnce == 1000)
    }

    @Test(arguments: [("10/second", 1000), ("10/second", 1), ("1/hour", 7), ("1000000/second", 999_999_999)])
    func aDebtIsPaidAfterTheTimeThatIsReported(rate: String, units: Int) throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of(rate), burst: 1), at: .seconds(0))
        _ = budget.draw(upTo: 1, after: nil, at: .seconds(0))
        budget.charge(units, at: .seconds(0))
        let wait = budget.retryAfter(at: .seconds(0))
        #expect(wait >= .nanoseconds(try Rate.of(rate).spacing * Int64(units)) && budget.isSpent(at: .seconds(0)))
        let paid = Instant.seconds(0) + wait
        #expect(budget.isSpent(at: paid.advanced(byNanoseconds: -1)) && !budget.isSpent(at: paid))
        #expect(!budget.isIdle(at: .seconds(0)) && budget.isIdle(at: paid + wait + .seconds(7200)))
    }

    @Test func aDebtBeyondTheQuotaIsOfTheNextWindows() throws {
        let quota = RecordQuota(records: 100, per: .hour)
        var budget = RecordBudget(RecordAllowance(quota: quota), at: .seconds(0))
        _ = budget.draw(upTo: 1, after: nil, at: .seconds(0))
        budget.charge(249, at: .seconds(0))
        #expect(budget.retryAfter(at: .seconds(0)) == .seconds(7200))
        #expect(budget.quotas(at: .seconds(7200)).quota?.remaining == 50)
    }

    @Test(arguments: ["0.000001/hour", "999999999/second"]) func noDebtOverflows(rate: String) throws {
        let quota = RecordQuota(records: 1, per: .day)
        var budget = RecordBudget(RecordAllowance(rate: try .of(rate), quota: quota), at: .seconds(0))
        for _ in 0..<3 { budget.charge(.max, at: .seconds(0)) }
        #expect(budget.retryAfter(at: .seconds(0)) > .zero)
        _ = budget.draw(upTo: 9, after: nil, at: .seconds(0))
        budget.giveBack(.max, at: .seconds(0))
        _ = budget.quotas(at: .seconds(0))
    }

    /// However streams draw and overdraw: the time line of leases never gets ahead of what was charged.
    @Test(arguments: 0..<20) func leasesWaitForAllDebts(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let rate = try Rate.of("1000/second")
        var budget = RecordBudget(RecordAllowance(rate: rate, burst: 50), at: .seconds(0))
        var (now, units) = (Instant.seconds(0), 0)
        for _ in 0..<200 {
            if Bool.random(using: &random) {
                let lease = budget.draw(upTo: Int.random(in: 1...20, using: &random), after: nil, at: now)
                units += lease.records
                let least = Instant.seconds(0).advanced(byNanoseconds: Int64(units - 50) * rate.spacing)
                #expect(lease.notBefore >= least)
            } else {
                let charged = Int.random(in: 0...300, using: &random)
                budget.charge(charged, at: now)
                units += charged
            }
            now = now + .milliseconds(Int.random(in: 0...40, using: &random))
        }
    }

    @Test func itIsSpentWhileAStreamTakesAllThereIsAndAFreeMomentLater() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("1000/second")), at: .seconds(0))
        var last = budget.draw(upTo: 16, after: nil, at: .seconds(0))
        var now = Instant.seconds(0)
        while now < .seconds(3) {
            now = max(now, last.notBefore)
            last = budget.draw(upTo: 16, after: last, at: now)
            if now > .seconds(1.1) { #expect(budget.isSpent(at: now)) }
        }
        // Even at the end of a lease, when the stream is about to draw the next.
        #expect(budget.isSpent(at: last.notBefore))
        let wait = budget.retryAfter(at: last.notBefore)
        #expect(wait == .milliseconds(16))
        #expect(!budget.isSpent(at: last.notBefore + wait))
    }

    @Test func aStreamBelowTheRateDoesNotSpendIt() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("1000/second")), at: .seconds(0))
        var last: RecordBudget.Lease?
        for step in 0..<3000 {
            let now = Instant.seconds(Double(step) / 900)
            last = budget.draw(upTo: 1, after: last, at: now)
            #expect(!budget.isSpent(at: now))
        }
    }

    @Test func anotherRateBindsFromTheNextLeaseOn() throws {
        var budget = RecordBudget(RecordAllowance(rate: try .of("1000/second")), at: .seconds(0))
        while !budget.isSpent(at: .seconds(0)) { _ = budget.draw(upTo: 16, after: nil, at: .seconds(0)) }
        budget.apply(RecordAllowance(rate: try .of("1/second")))
        let before = budget.draw(upTo: 16, after: nil, at: .seconds(0))
        let after = budget.draw(upTo: 16, after: before, at: .seconds(0))
        #expect(after.records == 1)
        #expect(after.notBefore - before.notBefore == .seconds(1))
    }

    @Test func theSlowestAndTheFastestRateDoNotOverflow() throws {
        for text in ["0.000001/hour", "999999999/second"] {
            var budget = RecordBudget(RecordAllowance(rate: try .of(text)), at: .seconds(0))
            var last: RecordBudget.Lease?
            for _ in 0..<100 {
                let lease = budget.draw(upTo: .max, after: last, at: .seconds(0))
                #expect(lease.records >= 1)
                #expect(lease.notBefore >= last?.notBefore ?? .distantPast)
                last = lease
            }
            budget.giveBack(.max, at: .seconds(0))
        }
    }

    // MARK: Burst and quota

    @Test func aBurstIsSentAtOnce() throws {
        let allowance = RecordAllowance(rate: try .of("10/second"), burst: 30)
        var budget = RecordBudget(allowance, at: .seconds(0)), last: RecordBudget.Lease?
        var atOnce = 0
        for _ in 0..<100 {
            let lease = budget.draw(upTo: .max, after: last, at: .seconds(0))
            if lease.notBefore <= .seconds(0) { atOnce += lease.records }
            last = lease
        }
        #expect(atOnce == 30)
        #expect(last?.notBefore == .seconds(7))
    }

    @Test func aBurstBelowASecondsRecordsIsKept() throws {
        let allowance = RecordAllowance(rate: try .of("1000/second"), burst: 1)
        var budget = RecordBudget(allowance, at: .seconds(0))
        #expect(budget.retryAfter(at: .seconds(0)) == .zero && budget.isIdle(at: .seconds(0)))
        let first = budget.draw(upTo: 1, after: nil, at: .seconds(0))
        let second = budget.draw(upTo: 1, after: first, at: .seconds(0))
        #expect(first.notBefore == .seconds(0) && second.notBefore == .seconds(0.001))
    }

    @Test func aQuotaWithoutARateIsDueAtOnceAndThenWithTheNextWindow() {
        var budget = RecordBudget(
            RecordAllowance(quota: RecordQuota(records: 100, per: .hour)), at: .seconds(0))
        let first = budget.draw(upTo: .max, after: nil, at: .seconds(0))
        #expect(first.records == 100 && first.notBefore <= .seconds(0))
        #expect(budget.isSpent(at: .seconds(1)) && budget.retryAfter(at: .seconds(1)) == .seconds(3599))
        #expect(!budget.isSpent(at: .seconds(3600)) && budget.isIdle(at: .seconds(3600)))
        let second = budget.draw(upTo: .max, after: first, at: .seconds(1))
        #expect(second.notBefore == .seconds(3600))
    }

    @Test func theRateAndTheQuotaBothHold() throws {
        let allowance = RecordAllowance(
            rate: try .of("10/second"), burst: 1, quota: RecordQuota(records: 15, per: .minute))
        var budget = RecordBudget(allowance, at: .seconds(0)), last: RecordBudget.Lease?
        var due: [Double] = []
        for _ in 0..<17 {
            let lease = budget.draw(upTo: 1, after: last, at: .seconds(0))
            due.append((lease.notBefore - .seconds(0)).inSeconds)
            last = lease
        }
        #expect(abs(due[14] - 1.4) < 1e-6 && due[15] == 60)
        #expect(!budget.isIdle(at: .seconds(59)))
    }

    @Test func theQuotasOfABudgetAreReported() throws {
        let allowance = RecordAllowance(
            rate: try .of("10/second"), burst: 30, quota: RecordQuota(records: 100, per: .hour))
        var budget = RecordBudget(allowance, at: .seconds(0))
        #expect(
            budget.quotas(at: .seconds(0))
                == RecordQuotas(
                    rate: .init(limit: 30, seconds: 3, remaining: 30, resetSeconds: 0),
                    quota: .init(limit: 100, seconds: 3600, remaining: 100, resetSeconds: 0)))
        _ = budget.draw(upTo: 1, after: nil, at: .seconds(0))
        #expect(
            budget.quotas(at: .seconds(0))
                == RecordQuotas(
                    rate: .init(limit: 30, seconds: 3, remaining: 29, resetSeconds: 1),
                    quota: .init(limit: 100, seconds: 3600, remaining: 99, resetSeconds: 3600)))
    }
}
