import Flow
import TestSupport
import Testing

@Suite struct StallClockTests {
    private let limit = TimeLimit(.seconds(8))

    private func blocked(isOverSoftMark: Bool = false) -> StallClock {
        var clock = StallClock(limit: limit)
        clock.blocked(isOverSoftMark: isOverSoftMark, at: .seconds(0))
        return clock
    }

    @Test func aClientThatWasOfferedNothingIsNeverSlow() {
        var clock = StallClock(limit: limit)
        clock.queueChanged(isOverSoftMark: true, at: .seconds(0))
        #expect(!clock.isBlocked)
        #expect(clock.nextDeadline == .distantFuture)
        #expect(!clock.isSlow(at: .seconds(1e6)))
    }

    @Test func withoutALimitNoClientIsSlow() {
        var clock = StallClock(limit: nil)
        clock.blocked(isOverSoftMark: true, at: .seconds(0))
        clock.looked(taken: 0, at: .seconds(1))
        #expect(clock.nextDeadline == .distantFuture)
        #expect(!clock.isSlow(at: .seconds(1e6)))
    }

    @Test func aClientThatTakesNothingForTheLimitIsSlow() {
        var clock = blocked()
        #expect(clock.nextDeadline == .seconds(1))
        for second in 1...7 { clock.looked(taken: 100, at: .seconds(Double(second))) }
        #expect(clock.nextDeadline == .seconds(8))
        #expect(!clock.isSlow(at: .seconds(7.9)))
        #expect(clock.isSlow(at: .seconds(8)))
    }

    @Test func theFirstLookIsNoProgress() {
        var clock = blocked()
        clock.looked(taken: 1_000_000, at: .seconds(7))
        #expect(clock.isSlow(at: .seconds(8)))
    }

    @Test func anyByteTakenSetsTheFirstClockBack() {
        var clock = blocked()
        clock.looked(taken: 100, at: .seconds(1))
        clock.looked(taken: 101, at: .seconds(7))
        #expect(!clock.isSlow(at: .seconds(14.9)))
        #expect(clock.isSlow(at: .seconds(15)))
    }

    /// What fills its queue arrived while it was away; but it must read.
    @Test func aClientThatCatchesUpMayStayOverTheSoftMarkAndMustRead() {
        var clock = StallClock(limit: limit, catchesUpUntil: .seconds(30))
        clock.blocked(isOverSoftMark: true, at: .seconds(0))
        for second in 1...37 {
            clock.looked(taken: second, at: .seconds(Double(second)))
            #expect(!clock.isSlow(at: .seconds(Double(second))))
        }
        #expect(clock.isSlow(at: .seconds(38)), "the limit after its time to catch up")
        var idle = StallClock(limit: limit, catchesUpUntil: .seconds(30))
        idle.blocked(isOverSoftMark: true, at: .seconds(0))
        #expect(idle.isSlow(at: .seconds(8)))
    }

    @Test(arguments: [false, true])
    func aRestartIgnoresWhatWasNotTakenBefore(isOverSoftMark: Bool) {
        var clock = blocked(isOverSoftMark: isOverSoftMark)
        clock.looked(taken: 100, at: .seconds(7))
        clock.restart(at: .seconds(50))
        #expect(clock.nextDeadline == .seconds(51), "it is looked at again")
        clock.looked(taken: 100, at: .seconds(51))
        #expect(!clock.isSlow(at: .seconds(57.9)))
        #expect(clock.isSlow(at: .seconds(58)))
    }

    @Test func aRestartStartsNoClockIfNothingIsWaiting() {
        var clock = blocked(isOverSoftMark: true)
        clock.took()
        clock.restart(at: .seconds(50))
        #expect(clock.nextDeadline == .distantFuture)
        clock.blocked(isOverSoftMark: true, at: .seconds(60))
        #expect(!clock.isSlow(at: .seconds(67.9)))
    }

    @Test func aClientThatTakesAllIsNotSlowAndStartsAgain() {
        var clock = blocked()
        clock.took()
        #expect(!clock.isSlow(at: .seconds(100)))
        #expect(clock.nextDeadline == .distantFuture)
        clock.blocked(isOverSoftMark: false, at: .seconds(100))
        #expect(!clock.isSlow(at: .seconds(107.9)))
        #expect(clock.isSlow(at: .seconds(108)))
    }

    @Test func aClientThatReadsLessThanIsDueIsSlow() {
        var clock = blocked(isOverSoftMark: true)
        for second in 1...7 { clock.looked(taken: second, at: .seconds(Double(second))) }
        #expect(!clock.isSlow(at: .seconds(7.9)))
        #expect(clock.isSlow(at: .seconds(8)))
    }

    @Test func aDrainedSocketAloneDoesNotCatchUp() {
        var clock = blocked(isOverSoftMark: true)
        clock.took()
        #expect(!clock.isSlow(at: .seconds(9)), "nothing is offered at this moment")
        clock.blocked(isOverSoftMark: true, at: .seconds(9))
        #expect(clock.isSlow(at: .seconds(9)))
    }

    @Test(arguments: [true, false]) func catchingUpOrTheSoftMarkSetsTheSecondClockBack(bySoftMark: Bool) {
        var clock = blocked(isOverSoftMark: true)
        clock.took()
        if bySoftMark { clock.queueChanged(isOverSoftMark: false, at: .seconds(7)) } else { clock.caughtUp() }
        clock.blocked(isOverSoftMark: true, at: .seconds(7))
        #expect(!clock.isSlow(at: .seconds(14.9)))
        #expect(clock.isSlow(at: .seconds(15)))
    }

    @Test func theSoftMarkCountsFromWhenItIsCrossedWhileHeldUp() {
        var clock = blocked()
        clock.looked(taken: 0, at: .seconds(1))
        clock.queueChanged(isOverSoftMark: true, at: .seconds(5))
        clock.looked(taken: 1, at: .seconds(7))
        #expect(!clock.isSlow(at: .seconds(12.9)))
        #expect(clock.isSlow(at: .seconds(13)))
    }

    /// A record of 800,000 bytes that is handed over alone: a step is 200,000.
    private func delivery(sent: Int, pending: Int = 800_000) -> Delivery {
        Delivery(handedOver: sent + pending, pending: pending, bound: .mebibytes(1))
    }

    @Test func aClientThatTakesAQuarterOfALargeRecordInTimeIsNotSlow() {
        var clock = StallClock(limit: limit)
        clock.blocked(isOverSoftMark: true, delivery: delivery(sent: 0), at: .seconds(0))
        for second in 1...100 {
            let sent = second * 25_000
            clock.looked(taken: second, delivery: delivery(sent: sent), at: .seconds(Double(second)))
            #expect(!clock.isSlow(at: .seconds(Double(second))))
        }
    }

    @Test func aClientThatTakesLessOfALargeRecordIsSlow() {
        var clock = StallClock(limit: limit)
        clock.blocked(isOverSoftMark: true, delivery: delivery(sent: 0), at: .seconds(0))
        for second in 1...8 {
            let sent = second * 24_999
            clock.looked(taken: second, delivery: delivery(sent: sent), at: .seconds(Double(second)))
            #expect(clock.isSlow(at: .seconds(Double(second))) == (second == 8))
        }
    }

    @Test func ofABatchOfRecordsOnlyTheQueueIsProgress() {
        var clock = StallClock(limit: limit)
        clock.blocked(isOverSoftMark: true, delivery: delivery(sent: 0, pending: 65_536), at: .seconds(0))
        clock.looked(taken: 1, delivery: delivery(sent: 65_000, pending: 536), at: .seconds(7))
        #expect(clock.isSlow(at: .seconds(8)))
    }

    @Test func whatWasTakenBeforeTheSoftMarkWasCrossedDoesNotCount() {
        var clock = StallClock(limit: limit)
        clock.blocked(isOverSoftMark: false, delivery: delivery(sent: 5_000_000), at: .seconds(0))
        clock.queueChanged(isOverSoftMark: true, at: .seconds(1))
        for second in 2...9 {
            clock.looked(taken: second, delivery: delivery(sent: 5_000_000 + second), at: .seconds(Double(second)))
        }
        #expect(clock.isSlow(at: .seconds(9)))
    }

    @Test func progressCountsFromOneRecordToTheNext() {
        var clock = StallClock(limit: limit)
        for number in 0...100 {
            let now = Instant.seconds(Double(5 * number))
            clock.blocked(isOverSoftMark: true, delivery: delivery(sent: number * 125_000), at: now)
            #expect(!clock.isSlow(at: now))
            clock.took()
        }
    }

    @Test func aNewLimitCountsForAClientThatIsHeldUp() {
        var clock = StallClock(limit: nil)
        clock.blocked(isOverSoftMark: true, at: .seconds(0))
        clock.setLimit(limit, at: .seconds(7))
        #expect(clock.nextDeadline <= .seconds(8))
        #expect(!clock.isSlow(at: .seconds(7)))
        #expect(clock.isSlow(at: .seconds(8)))
        clock.setLimit(nil, at: .seconds(9))
        #expect(clock.nextDeadline == .distantFuture && !clock.isSlow(at: .seconds(1e6)))
    }
}
