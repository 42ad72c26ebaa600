import Flow
import Testing

@Suite struct StreamMachineTests {
    private static let start = Instant.seconds(0)

    /// A machine whose head has arrived.
    private func open(_ limits: StreamMachine.Limits = .init()) -> StreamMachine {
        var machine = StreamMachine(limits: limits, at: Self.start)
        machine.headArrived(at: Self.start)
        return machine
    }

    // MARK: The way of a stream

    @Test func aStreamRunsFromItsHeadToItsEnd() {
        var machine = StreamMachine(limits: .init(), at: Self.start)
        #expect(!machine.hasHead)
        machine.headArrived(at: Self.start)
        #expect(machine.hasHead)
        #expect(machine.chunkArrived(at: .seconds(1), queueIsFull: false) == .none)
        #expect(machine.upstreamEnded(.completed) == .none)
        #expect(machine.isEmptying)
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(!machine.isEmptying)
        #expect(machine.responseTaken() == .finish(.completed))
        #expect(machine.isFinished)
    }

    @Test func anUpstreamThatEndsBeforeItsHeadEndsTheStream() {
        var machine = StreamMachine(limits: .init(), at: Self.start)
        #expect(machine.upstreamEnded(.upstreamFailed) == .finish(.upstreamFailed))
        #expect(machine.isFinished)
    }

    @Test func whatIsQueuedStillLeavesAfterAFailure() {
        var machine = open()
        #expect(machine.upstreamEnded(.upstreamFailed) == .none)
        #expect(machine.isEmptying)
        #expect(machine.emptied() == .endResponse(.upstreamFailed))
        #expect(machine.responseTaken() == .finish(.upstreamFailed))
    }

    @Test func whileItEmptiesTheLaterOutcomeCounts() {
        var machine = open()
        _ = machine.upstreamEnded(.completed)
        #expect(machine.upstreamEnded(.upstreamFailed) == .none)
        #expect(machine.emptied() == .endResponse(.upstreamFailed))
        #expect(machine.upstreamEnded(.completed) == .none)
        #expect(machine.responseTaken() == .finish(.upstreamFailed))
    }

    @Test func anEmptyQueueEndsNothingWhileTheUpstreamRuns() {
        var machine = open()
        #expect(machine.emptied() == .none)
        #expect(machine.responseTaken() == .none)
        #expect(!machine.isFinished)
    }

    @Test func theResponseEndsOnce() {
        var machine = open()
        _ = machine.upstreamEnded(.completed)
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(machine.emptied() == .none)
    }

    // MARK: Invariant 1: each pause is answered by one resume, or by the end

    @Test func aFullQueuePausesOnceAndALowQueueResumesOnce() {
        var machine = open()
        #expect(machine.chunkArrived(at: .seconds(1), queueIsFull: true) == .pauseUpstream)
        #expect(machine.isPaused)
        #expect(machine.chunkArrived(at: .seconds(1), queueIsFull: true) == .none)
        #expect(machine.recordsLeft(queueIsFull: true, queueIsLow: false, at: .seconds(2)) == .none)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: false, at: .seconds(2)) == .none)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: true, at: .seconds(2)) == .resumeUpstream)
        #expect(!machine.isPaused)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: true, at: .seconds(2)) == .none)
        #expect(machine.chunkArrived(at: .seconds(3), queueIsFull: true) == .pauseUpstream)
        #expect(machine.pauses == 2)
    }

    @Test func thereIsNothingToPauseBeforeTheHeadOrBehindTheEnd() {
        var early = StreamMachine(limits: .init(), at: Self.start)
        #expect(early.chunkArrived(at: Self.start, queueIsFull: true) == .none)
        var late = open()
        _ = late.upstreamEnded(.completed)
        #expect(late.chunkArrived(at: Self.start, queueIsFull: true) == .none)
        #expect(early.pauses + late.pauses == 0)
    }

    @Test func anUpstreamThatEndedWhilePausedIsNotResumed() {
        var machine = open()
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        _ = machine.upstreamEnded(.completed)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: true, at: .seconds(2)) == .none)
        #expect(machine.emptied() == .endResponse(.completed))
    }

    @Test func thePausedTimeIsCountedWhileItRunsAndAfterwards() {
        var machine = open()
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        #expect(machine.paused(at: .seconds(3)) == .seconds(2))
        _ = machine.recordsLeft(queueIsFull: false, queueIsLow: true, at: .seconds(4))
        #expect(machine.paused(at: .seconds(9)) == .seconds(3))
        _ = machine.chunkArrived(at: .seconds(10), queueIsFull: true)
        #expect(machine.paused(at: .seconds(11)) == .seconds(4))
    }

    @Test func aPauseThatHasLastedHalfItsLimitEndsWithTheFirstFreePlace() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: false, at: .seconds(5.9)) == .none)
        #expect(machine.recordsLeft(queueIsFull: true, queueIsLow: false, at: .seconds(6)) == .none)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: false, at: .seconds(6)) == .resumeUpstream)
    }

    @Test func withoutALimitAPauseNeverGrowsOld() {
        var machine = open()
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: false, at: .seconds(1_000_000)) == .none)
    }

    // MARK: Invariant 2: finish is returned once

    @Test(arguments: Outcome.allCases) func anEndFromOutsideEndsEveryPhaseOnce(outcome: Outcome) {
        var ending = open()
        _ = ending.upstreamEnded(.completed)
        var emptying = ending
        _ = ending.emptied()
        var paused = open()
        _ = paused.chunkArrived(at: Self.start, queueIsFull: true)
        emptying.clientStopped(at: Self.start)
        for var machine in [StreamMachine(limits: .init(), at: Self.start), open(), paused, emptying, ending] {
            #expect(machine.end(outcome) == .finish(outcome))
            #expect(machine.isFinished)
            expectNothing(of: &machine)
        }
    }

    @Test func aClientThatLeavesEndsTheStream() {
        var machine = open()
        #expect(machine.clientLeft() == .finish(.clientGone))
        expectNothing(of: &machine)
    }

    /// Tells every event, and expects no action.
    private func expectNothing(of machine: inout StreamMachine) {
        machine.headArrived(at: .seconds(100))
        #expect(machine.chunkArrived(at: .seconds(100), queueIsFull: true) == .none)
        #expect(machine.recordsLeft(queueIsFull: false, queueIsLow: true, at: .seconds(100)) == .none)
        #expect(machine.upstreamEnded(.completed) == .none)
        #expect(machine.emptied() == .none)
        #expect(machine.responseTaken() == .none)
        machine.clientStopped(at: .seconds(100))
        #expect(machine.deadlinePassed(at: .distantFuture) == .none)
        #expect(machine.clientLeft() == .none)
        #expect(machine.end(.drained) == .none)
        #expect(machine.isFinished)
    }

    // MARK: Invariant 3: the clock of whoever is being waited for runs, and no other

    @Test func anUpstreamThatDoesNotAnswerTimesOut() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(30), idle: .seconds(1)), at: Self.start)
        #expect(machine.nextDeadline == .seconds(30))
        #expect(machine.deadlinePassed(at: .seconds(29.9)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(30)) == .finish(.upstreamTimeout))
    }

    @Test func onceItHasAnsweredOnlySilenceCounts() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(30), idle: .seconds(60)), at: Self.start)
        machine.headArrived(at: .seconds(29))
        #expect(machine.nextDeadline == .seconds(89))
        _ = machine.chunkArrived(at: .seconds(80), queueIsFull: false)
        #expect(machine.nextDeadline == .seconds(140))
        #expect(machine.deadlinePassed(at: .seconds(139)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(140)) == .cancelUpstream)
        #expect(machine.isEmptying)
        #expect(machine.emptied() == .endResponse(.upstreamTimeout))
    }

    @Test func theIdleClockStandsWhileTheUpstreamIsPausedAndStartsAfresh() {
        var machine = open(.init(idle: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(1000)) == .none)
        _ = machine.recordsLeft(queueIsFull: false, queueIsLow: true, at: .seconds(1000))
        #expect(machine.nextDeadline == .seconds(1010))
    }

    @Test func theIdleClockStandsOnceTheUpstreamHasEnded() {
        var machine = open(.init(idle: .seconds(10), pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        _ = machine.upstreamEnded(.completed)
        #expect(machine.nextDeadline == .distantFuture)
    }

    @Test func aPauseThatLastsTooLongEndsTheUpstream() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        #expect(machine.nextDeadline == .seconds(11))
        #expect(machine.deadlinePassed(at: .seconds(10.9)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(11)) == .cancelUpstream)
        #expect(machine.isEmptying)
        #expect(machine.nextDeadline == .distantFuture)
    }

    @Test func aPauseThatTheClientCausedIsTheClients() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), queueIsFull: true)
        machine.clientStopped(at: .seconds(2))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .finish(.slowConsumer))
    }

    @Test func aClientThatDoesNotTakeWhatItIsOfferedIsASlowConsumer() {
        var machine = open(.init(stall: .seconds(10)))
        #expect(machine.nextDeadline == .distantFuture)
        machine.clientStopped(at: .seconds(1))
        machine.clientStopped(at: .seconds(5))
        #expect(machine.nextDeadline == .seconds(11))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .finish(.slowConsumer))
    }

    @Test func aClientThatTakesInTimeIsNone() {
        var machine = open(.init(stall: .seconds(10)))
        machine.clientStopped(at: .seconds(1))
        machine.clientTook()
        #expect(machine.nextDeadline == .distantFuture)
        machine.clientStopped(at: .seconds(8))
        #expect(machine.nextDeadline == .seconds(18))
    }

    @Test func aClientThatDoesNotTakeTheEndIsASlowConsumerToo() {
        var machine = open(.init(idle: .seconds(1), stall: .seconds(10)))
        _ = machine.upstreamEnded(.completed)
        _ = machine.emptied()
        machine.clientStopped(at: .seconds(1))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .finish(.slowConsumer))
    }

    @Test func theTotalTimeRunsInEveryPhase() {
        let limits = StreamMachine.Limits(total: .seconds(100))
        var ending = open(limits)
        _ = ending.upstreamEnded(.completed)
        let emptying = ending
        _ = ending.emptied()
        for var machine in [StreamMachine(limits: limits, at: Self.start), open(limits), emptying, ending] {
            #expect(machine.nextDeadline == .seconds(100))
            #expect(machine.deadlinePassed(at: .seconds(100)) == .finish(.upstreamTimeout))
        }
    }

    @Test func theEarliestClockIsTheNextDeadline() {
        var machine = open(.init(idle: .seconds(60), stall: .seconds(10), total: .seconds(30)))
        #expect(machine.nextDeadline == .seconds(30))
        machine.clientStopped(at: .seconds(5))
        #expect(machine.nextDeadline == .seconds(15))
    }

    @Test func withoutLimitsNothingIsWaitedFor() {
        var machine = open()
        machine.clientStopped(at: Self.start)
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(1e6)) == .none)
    }
}
