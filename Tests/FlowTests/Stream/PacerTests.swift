import Flow
import TestSupport
import Testing

@Suite struct PacerTests {
    private func pacer(_ rate: String? = nil, burst: Int = 1, sharesBudget: Bool = false) throws -> Pacer {
        Pacer(
            pace: try rate.map { .limited(try .of($0)) } ?? .unlimited, burst: burst, sharesBudget: sharesBudget,
            at: .seconds(0))
    }

    @Test func withoutLimitsEverythingLeaves() throws {
        let pacer = try pacer()
        #expect(pacer.isUnlimited)
        #expect(pacer.available(at: .seconds(0)) == .max)
        #expect(!pacer.isStoppedByClient)
    }

    @Test func thePaceIsTheMeters() throws {
        var pacer = try pacer("10/second")
        #expect(!pacer.isUnlimited)
        #expect(pacer.available(at: .seconds(0)) == 1)
        pacer.take(1, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.available(at: .seconds(0.09)) == 0)
        #expect(pacer.nextDue == .seconds(0.1))
    }

    @Test func aPausedStreamSendsNothingAndContinuesAtItsPace() throws {
        var pacer = try pacer("10/second")
        pacer.take(1, at: .seconds(0), leavesWaiting: true)
        pacer.hold(true)
        #expect(pacer.isStoppedByClient)
        #expect(pacer.available(at: .seconds(5)) == 0)
        #expect(pacer.nextDue == .distantFuture)
        pacer.hold(false)
        #expect(pacer.available(at: .seconds(5)) == 1, "the time of the pause is not made up for")
    }

    @Test func creditCountsFromTheFirstRequestOn() throws {
        var pacer = try pacer()
        #expect(pacer.remainingCredit == nil)
        pacer.request(3)
        #expect(pacer.available(at: .seconds(0)) == 3)
        pacer.take(3, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.available(at: .seconds(9)) == 0)
        #expect(pacer.isStoppedByClient)
        pacer.request(2)
        #expect(pacer.available(at: .seconds(9)) == 2)
        pacer.request(.max)
        #expect(pacer.remainingCredit == .max)
    }

    @Test func aLeaseIsNeededUsedAndWaitedFor() throws {
        var pacer = try pacer(sharesBudget: true)
        #expect(!pacer.isUnlimited)
        #expect(pacer.needsLease(at: .seconds(0)))
        #expect(pacer.available(at: .seconds(0)) == 0)
        #expect(pacer.nextDue == .distantFuture)
        pacer.lease(5, notBefore: .seconds(1))
        #expect(pacer.nextDue == .seconds(1))
        #expect(pacer.available(at: .seconds(0.5)) == 0)
        #expect(pacer.available(at: .seconds(1)) == 5)
        pacer.take(4, at: .seconds(1), leavesWaiting: true)
        #expect(pacer.unusedLease == 1)
        pacer.take(1, at: .seconds(1), leavesWaiting: true)
        #expect(pacer.needsLease(at: .seconds(1)))
    }

    @Test func aBudgetWithoutRecordsIsAskedAgainLater() throws {
        var pacer = try pacer(sharesBudget: true)
        pacer.awaitLease(until: .seconds(1))
        #expect(!pacer.needsLease(at: .seconds(0.9)))
        #expect(pacer.nextDue == .seconds(1) && pacer.available(at: .seconds(2)) == 0 && pacer.unusedLease == 0)
        #expect(pacer.needsLease(at: .seconds(1)))
        pacer.lease(1, notBefore: .seconds(1))
        pacer.take(1, at: .seconds(1), leavesWaiting: true)
        #expect(pacer.needsLease(at: .seconds(1)) && pacer.nextDue == .distantFuture)
    }

    // MARK: Weights

    @Test func aHeavyRecordDelaysTheNextByItsWeight() throws {
        var pacer = try pacer("10/second", burst: 3)
        #expect(pacer.available(at: .seconds(0)) == 3)
        pacer.takeOne(weighing: 20, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.available(at: .seconds(0)) == 0 && pacer.nextDue == .seconds(1.8))
        pacer.takeOne(weighing: 0, at: .seconds(1.8), leavesWaiting: true)
        #expect(pacer.nextDue == .seconds(1.8), "nothing is owed for it")
    }

    @Test func aDebtIsPaidAtThePaceThatApplies() throws {
        var pacer = try pacer("1/hour")
        pacer.takeOne(weighing: 5, at: .seconds(0), leavesWaiting: true)
        pacer.change(pace: .limited(try .of("10/second")), burst: 1, at: .seconds(0))
        #expect(pacer.nextDue == .seconds(0.5))
        pacer.change(pace: .limited(try .of("1/second")), burst: 1, at: .seconds(0.2))
        #expect(pacer.nextDue == .seconds(3.2), "three of five units are owed")
        pacer.change(pace: .unlimited, burst: 1, at: .seconds(0.2))
        #expect(pacer.available(at: .seconds(0.2)) == .max)
    }

    @Test func whatWasCountedTooMuchIsAvailableAgainUpToTheBurst() throws {
        var pacer = try pacer("10/second", burst: 3)
        pacer.takeOne(weighing: 20, at: .seconds(0), leavesWaiting: true)
        pacer.takeOne(weighing: -19, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.available(at: .seconds(0)) == 2)
        pacer.takeOne(weighing: -1000, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.available(at: .seconds(0)) == 3)
    }

    @Test func whatALeaseDoesNotCoverIsOwedOnce() throws {
        var pacer = try pacer(sharesBudget: true)
        pacer.lease(5, notBefore: .seconds(0))
        pacer.takeOne(weighing: 3, at: .seconds(0), leavesWaiting: true)
        #expect(!pacer.isUnsettled && pacer.unusedLease == 2)
        pacer.takeOne(weighing: 9, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.isUnsettled && pacer.needsLease(at: .seconds(0)))
        #expect(pacer.settle() == 7)
        #expect(!pacer.isUnsettled && pacer.settle() == 0)
        pacer.lease(5, notBefore: .seconds(0))
        pacer.takeOne(weighing: -4, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.settle() == -4)
        #expect(pacer.unusedLease == 5)
    }

    @Test func creditIsInRecords() throws {
        var pacer = try pacer()
        pacer.request(2)
        pacer.takeOne(weighing: 1000, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.remainingCredit == 1 && pacer.available(at: .seconds(0)) == 1)
    }

    @Test(arguments: ["0.000001/hour", "999999999/second"]) func noWeightOverflows(rate: String) throws {
        var pacer = try pacer(rate)
        for weight in [RecordWeights.heaviest, .max, .min, 0, -1, .max, .max] {
            pacer.takeOne(weighing: weight, at: .seconds(0), leavesWaiting: true)
            #expect(pacer.available(at: .seconds(0)) >= 0 && pacer.nextDue <= .distantFuture)
        }
    }

    // MARK: Leases

    @Test func aPausedStreamNeedsNoLease() throws {
        var pacer = try pacer(sharesBudget: true)
        pacer.hold(true)
        #expect(!pacer.needsLease(at: .seconds(0)))
    }

    @Test func aSlowerPaceCountsFromTheLastRecord() throws {
        var pacer = try pacer("10/second")
        pacer.take(1, at: .seconds(0), leavesWaiting: true)
        pacer.change(pace: .limited(try .of("2/second")), burst: 1, at: .seconds(0.05))
        #expect(pacer.nextDue == .seconds(0.5))
        pacer.change(pace: .limited(try .of("20/second")), burst: 1, at: .seconds(0.06))
        #expect(pacer.nextDue == .seconds(0.05))
        #expect(pacer.available(at: .seconds(0.06)) == 1)
    }

    @Test func aPaceCanBeTakenAwayAndGiven() throws {
        var pacer = try pacer("1/minute")
        pacer.take(1, at: .seconds(0), leavesWaiting: true)
        pacer.change(pace: .unlimited, burst: 1, at: .seconds(1))
        #expect(pacer.available(at: .seconds(1)) == .max)
        pacer.take(100, at: .seconds(1), leavesWaiting: false)
        pacer.change(pace: .limited(try .of("1/second")), burst: 1, at: .seconds(2))
        #expect(pacer.available(at: .seconds(2)) == 1)
    }

    @Test func whatWasSaidBeforeTheStreamBeganStays() throws {
        var pacer = Pacer(pace: .unlimited, burst: 1, at: .seconds(0))
        pacer.request(2)
        pacer.hold(true)
        pacer.begin(pace: .limited(try .of("10/second")), burst: 5, sharesBudget: false, at: .seconds(1))
        #expect(pacer.isStoppedByClient)
        pacer.hold(false)
        #expect(pacer.available(at: .seconds(1)) == 2)
        #expect(!pacer.isUnlimited)
    }

    @Test func whatComesBackIsPaidForByTheCreditAlready() throws {
        var pacer = try pacer()
        pacer.returned(3)
        #expect(pacer.remainingCredit == nil)
        pacer.request(5)
        pacer.take(5, at: .seconds(0), leavesWaiting: true)
        #expect(pacer.isStoppedByClient)
        pacer.returned(3)
        #expect(pacer.remainingCredit == 3)
        #expect(pacer.available(at: .seconds(0)) == 3)
    }
}
