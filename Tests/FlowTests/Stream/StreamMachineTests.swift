import Flow
import TestSupport
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
        machine.headArrived(at: Self.start)
        #expect(machine.chunkArrived(at: .seconds(1), level: .low) == .none)
        #expect(machine.upstreamEnded(.completed, at: .seconds(2)) == .none)
        #expect(machine.isEmptying)
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(!machine.isEmptying)
        #expect(machine.responseTaken() == .finish(.completed))
        #expect(machine.isFinished)
    }

    // MARK: The request's body

    @Test func anUpstreamThatWaitsForTheRequestIsNotLate() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(30)), at: Self.start)
        machine.requestAwaited()
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(100)) == .none)
    }

    @Test func fromTheLastByteOfTheRequestItHasItsWholeTime() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(30)), at: Self.start)
        machine.requestAwaited()
        machine.requestTaken(at: .seconds(100))
        #expect(machine.nextDeadline == .seconds(130))
        #expect(machine.deadlinePassed(at: .seconds(129)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(130)) == .finish(.upstreamTimeout))
    }

    @Test func anUpstreamThatWaitsForTheRequestBodyIsNotIdle() {
        var machine = open(.init(idle: .seconds(10)))
        machine.requestAwaited()
        #expect(machine.deadlinePassed(at: .seconds(60)) == .none)
        machine.requestTaken(at: .seconds(60))
        #expect(machine.nextDeadline == .seconds(70))
    }

    // MARK: Records in time

    @Test func aHeadAndBytesAreNoRecord() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(5), firstRecord: .seconds(10)), at: Self.start)
        machine.headWithheld(at: .seconds(1))
        #expect(machine.nextDeadline == .seconds(10))
        _ = machine.chunkArrived(at: .seconds(9), level: .low)
        #expect(machine.deadlinePassed(at: .seconds(10)) == .tryAnother)
        #expect(machine.hasUpstreamFallenSilent && !machine.isFinished)
    }

    @Test func eachAttemptHasItsOwnTime() {
        var machine = StreamMachine(limits: .init(firstRecord: .seconds(10)), at: Self.start)
        #expect(machine.deadlinePassed(at: .seconds(10)) == .tryAnother)
        machine.attemptBegan(at: .seconds(10))
        #expect(machine.nextDeadline == .seconds(20) && !machine.hasUpstreamFallenSilent)
        machine.headWithheld(at: .seconds(11))
        machine.recordArrived(at: .seconds(12))
        machine.headArrived(isWatched: true, at: .seconds(12))
        #expect(machine.nextDeadline == .distantFuture)
    }

    @Test func recordsThatAreNotWatchedHaveNoDeadline() {
        var machine = open(.init(firstRecord: .seconds(10), betweenRecords: .seconds(1)))
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(60)) == .none)
    }

    @Test func betweenRecordsOnlyRecordsCount() {
        var machine = StreamMachine(limits: .init(betweenRecords: .seconds(10)), at: Self.start)
        machine.headArrived(isWatched: true, at: Self.start)
        #expect(machine.nextDeadline == .distantFuture, "the first record has its own limit")
        machine.recordArrived(at: .seconds(5))
        _ = machine.chunkArrived(at: .seconds(14), level: .low)
        #expect(machine.deadlinePassed(at: .seconds(15)) == .cancelUpstream)
        #expect(machine.hasUpstreamFallenSilent)
    }

    @Test func aPausedUpstreamOwesNoRecord() {
        var machine = StreamMachine(limits: .init(betweenRecords: .seconds(10)), at: Self.start)
        machine.headArrived(isWatched: true, at: Self.start)
        machine.recordArrived(at: .seconds(5))
        #expect(machine.chunkArrived(at: .seconds(5), level: .full) == .pauseUpstream)
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.recordsSent(level: .low, at: .seconds(60)) == .resumeUpstream)
        #expect(machine.nextDeadline == .seconds(70))
    }

    @Test func anUpstreamThatWaitsForTheRequestOwesNoRecord() {
        var machine = StreamMachine(limits: .init(firstRecord: .seconds(10)), at: Self.start)
        machine.requestAwaited()
        #expect(machine.nextDeadline == .distantFuture)
        machine.requestTaken(at: .seconds(100))
        #expect(machine.nextDeadline == .seconds(110))
    }

    @Test func anUpstreamThatEndsBeforeItsHeadEndsTheStream() {
        var machine = StreamMachine(limits: .init(), at: Self.start)
        #expect(machine.upstreamEnded(.upstreamFailed, at: .seconds(2)) == .finish(.upstreamFailed))
        #expect(machine.isFinished)
    }

    @Test func whatIsQueuedStillLeavesAfterAFailure() {
        var machine = open()
        #expect(machine.upstreamEnded(.upstreamFailed, at: .seconds(2)) == .none)
        #expect(machine.isEmptying)
        #expect(machine.emptied() == .endResponse(.upstreamFailed))
        #expect(machine.responseTaken() == .finish(.upstreamFailed))
    }

    @Test func whileItEmptiesTheLaterOutcomeCounts() {
        var machine = open()
        _ = machine.upstreamEnded(.completed, at: .seconds(2))
        #expect(machine.upstreamEnded(.upstreamFailed, at: .seconds(2)) == .none)
        #expect(machine.emptied() == .endResponse(.upstreamFailed))
        #expect(machine.upstreamEnded(.completed, at: .seconds(2)) == .none)
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
        _ = machine.upstreamEnded(.completed, at: .seconds(2))
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(machine.emptied() == .none)
    }

    // MARK: Invariant 1: each pause is answered by one resume, or by the end

    @Test func aFullQueuePausesOnceAndALowQueueResumesOnce() {
        var machine = open()
        #expect(machine.chunkArrived(at: .seconds(1), level: .full) == .pauseUpstream)
        #expect(machine.isPaused)
        #expect(machine.chunkArrived(at: .seconds(1), level: .full) == .none)
        #expect(machine.recordsSent(level: .full, at: .seconds(2)) == .none)
        #expect(machine.recordsSent(level: .middle, at: .seconds(2)) == .none)
        #expect(machine.recordsSent(level: .low, at: .seconds(2)) == .resumeUpstream)
        #expect(!machine.isPaused)
        #expect(machine.recordsSent(level: .low, at: .seconds(2)) == .none)
        #expect(machine.chunkArrived(at: .seconds(3), level: .full) == .pauseUpstream)
        #expect(machine.pauses == 2)
    }

    @Test func bytesThatTheClientDoesNotTakePauseTheUpstreamByThemselves() {
        var machine = open()
        #expect(machine.clientStopped(level: .middle, at: .seconds(1)) == .none)
        #expect(machine.clientStopped(level: .full, at: .seconds(1)) == .pauseUpstream)
        #expect(machine.clientStopped(level: .full, at: .seconds(2)) == .none)
        machine.clientTook()
        #expect(machine.recordsSent(level: .low, at: .seconds(3)) == .resumeUpstream)
        #expect(machine.pauses == 1)
    }

    @Test func nothingIsPausedBeforeTheHeadOrAfterTheEnd() {
        var early = StreamMachine(limits: .init(), at: Self.start)
        #expect(early.chunkArrived(at: Self.start, level: .full) == .none)
        var late = open()
        _ = late.upstreamEnded(.completed, at: .seconds(2))
        #expect(late.chunkArrived(at: Self.start, level: .full) == .none)
        #expect(early.pauses + late.pauses == 0)
    }

    @Test func anUpstreamThatEndedWhilePausedIsNotResumed() {
        var machine = open()
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        _ = machine.upstreamEnded(.completed, at: .seconds(2))
        #expect(machine.recordsSent(level: .low, at: .seconds(2)) == .none)
        #expect(machine.emptied() == .endResponse(.completed))
    }

    @Test func thePausedTimeIsCountedWhileItRunsAndAfterwards() {
        var machine = open()
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        #expect(machine.paused(at: .seconds(3)) == .seconds(2))
        _ = machine.recordsSent(level: .low, at: .seconds(4))
        #expect(machine.paused(at: .seconds(9)) == .seconds(3))
        _ = machine.chunkArrived(at: .seconds(10), level: .full)
        #expect(machine.paused(at: .seconds(11)) == .seconds(4))
    }

    @Test func aPauseOfHalfItsLimitEndsWithTheFirstFreeSlot() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        #expect(machine.recordsSent(level: .middle, at: .seconds(5.9)) == .none)
        #expect(machine.recordsSent(level: .full, at: .seconds(6)) == .none)
        #expect(machine.recordsSent(level: .middle, at: .seconds(6)) == .resumeUpstream)
    }

    @Test func withoutALimitAPauseNeverGrowsOld() {
        var machine = open()
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        #expect(machine.recordsSent(level: .middle, at: .seconds(1_000_000)) == .none)
    }

    // MARK: Invariant 2: finish is returned once

    @Test(arguments: Outcome.allCases) func anEndFromOutsideEndsEveryPhaseOnce(outcome: Outcome) {
        var ending = open()
        _ = ending.upstreamEnded(.completed, at: .seconds(2))
        var emptying = ending
        _ = ending.emptied()
        var paused = open()
        _ = paused.chunkArrived(at: Self.start, level: .full)
        _ = emptying.clientStopped(level: .low, at: Self.start)
        for var machine in [StreamMachine(limits: .init(), at: Self.start), open(), paused, emptying, ending] {
            #expect(machine.end(outcome) == .finish(outcome))
            #expect(machine.isFinished)
            expectNothing(of: &machine)
        }
    }

    @Test func aClientThatLeavesEndsTheStream() {
        var machine = open()
        #expect(machine.clientDisconnected(at: .seconds(100)) == .finish(.clientGone))
        expectNothing(of: &machine)
    }

    /// Sends every event, and expects no action.
    private func expectNothing(of machine: inout StreamMachine) {
        machine.headArrived(at: .seconds(100))
        #expect(machine.chunkArrived(at: .seconds(100), level: .full) == .none)
        #expect(machine.recordsSent(level: .low, at: .seconds(100)) == .none)
        #expect(machine.upstreamEnded(.completed, at: .seconds(2)) == .none)
        #expect(machine.emptied() == .none)
        #expect(machine.responseTaken() == .none)
        _ = machine.clientStopped(level: .low, at: .seconds(100))
        #expect(machine.deadlinePassed(at: .distantFuture) == .none)
        #expect(machine.clientDisconnected(at: .seconds(100)) == .none)
        #expect(machine.end(.drained) == .none)
        #expect(machine.isFinished)
    }

    // MARK: Invariant 3: only the clock of the awaited side runs

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
        _ = machine.chunkArrived(at: .seconds(80), level: .low)
        #expect(machine.nextDeadline == .seconds(140))
        #expect(machine.deadlinePassed(at: .seconds(139)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(140)) == .cancelUpstream)
        #expect(machine.isEmptying)
        #expect(machine.emptied() == .endResponse(.upstreamTimeout))
    }

    @Test func theIdleClockStopsDuringAPauseAndStartsAgain() {
        var machine = open(.init(idle: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(1000)) == .none)
        _ = machine.recordsSent(level: .low, at: .seconds(1000))
        #expect(machine.nextDeadline == .seconds(1010))
    }

    @Test func theIdleClockStopsOnceTheUpstreamHasEnded() {
        var machine = open(.init(idle: .seconds(10), pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        _ = machine.upstreamEnded(.completed, at: .seconds(2))
        #expect(machine.nextDeadline == .distantFuture)
    }

    @Test func aPauseThatLastsTooLongEndsTheUpstream() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        #expect(machine.nextDeadline == .seconds(11))
        #expect(machine.deadlinePassed(at: .seconds(10.9)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(11)) == .cancelUpstream)
        #expect(machine.isEmptying)
        #expect(machine.nextDeadline == .distantFuture)
    }

    @Test func aPauseThatTheClientCausedIsTheClients() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        _ = machine.clientStopped(level: .low, at: .seconds(2))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .finish(.slowConsumer))
    }

    @Test func aClientThatDoesNotTakeWhatItIsOfferedIsASlowConsumer() {
        var machine = open(.init(stall: .seconds(10)))
        #expect(machine.nextDeadline == .distantFuture)
        _ = machine.clientStopped(level: .low, at: .seconds(1))
        _ = machine.clientStopped(level: .low, at: .seconds(5))
        #expect(machine.nextDeadline == .seconds(2.25))
        machine.clientLooked(taken: 0, at: .seconds(2.25))
        #expect(machine.deadlinePassed(at: .seconds(10.9)) == .none)
        machine.clientLooked(taken: 0, at: .seconds(10.9))
        #expect(machine.nextDeadline == .seconds(11))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .finish(.slowConsumer))
    }

    @Test func aClientThatReadsALargeRecordSteadilyIsNone() {
        var machine = open(.init(stall: .seconds(3)))
        for second in 1...60 {
            let now = Instant.seconds(Double(second))
            let delivery = Delivery(handedOver: 4_000_000 + 800_000 * second, pending: 4_000_000, bound: .mebibytes(1))
            #expect(machine.clientStopped(level: .middle, delivery: delivery, at: now) == .none)
            machine.clientLooked(taken: second, delivery: delivery, at: now)
            #expect(machine.deadlinePassed(at: now) == .none)
        }
    }

    @Test func aClientThatTakesInTimeIsNone() {
        var machine = open(.init(stall: .seconds(10)))
        _ = machine.clientStopped(level: .low, at: .seconds(1))
        machine.clientTook()
        #expect(machine.nextDeadline == .distantFuture)
        _ = machine.clientStopped(level: .low, at: .seconds(8))
        machine.clientLooked(taken: 0, at: .seconds(17.5))
        #expect(machine.nextDeadline == .seconds(18))
    }

    @Test func aClientThatDoesNotTakeTheEndIsASlowConsumerToo() {
        var machine = open(.init(idle: .seconds(1), stall: .seconds(10)))
        _ = machine.upstreamEnded(.completed, at: .seconds(2))
        _ = machine.emptied()
        _ = machine.clientStopped(level: .low, at: .seconds(1))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .finish(.slowConsumer))
    }

    @Test func theTotalTimeRunsInEveryPhase() {
        let limits = StreamMachine.Limits(total: .seconds(100))
        var ending = open(limits)
        _ = ending.upstreamEnded(.completed, at: .seconds(2))
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
        _ = machine.clientStopped(level: .low, at: .seconds(5))
        #expect(machine.nextDeadline == .seconds(6.25), "the first look at what the client has taken")
        machine.clientLooked(taken: 100, at: .seconds(14))
        #expect(machine.nextDeadline == .seconds(15))
    }

    @Test func withoutLimitsNothingIsWaitedFor() {
        var machine = open()
        _ = machine.clientStopped(level: .low, at: Self.start)
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(1e6)) == .none)
    }

    // MARK: Slow consumers

    @Test func underDisconnectAHeldUpClientEndsWhenTheQueueIsFull() {
        var machine = open(.init(endsWhenFull: true))
        #expect(machine.clientStopped(level: .middle, at: .seconds(1)) == .none)
        #expect(machine.chunkArrived(at: .seconds(2), level: .full) == .finish(.slowConsumer))
        var late = open(.init(endsWhenFull: true))
        #expect(late.chunkArrived(at: .seconds(1), level: .full) == .pauseUpstream, "the pace alone filled the queue")
        #expect(late.clientStopped(level: .full, at: .seconds(2)) == .finish(.slowConsumer))
    }

    @Test func aDryRunOfTheLimitReportsTheSlowConsumerAndContinues() {
        var machine = open(.init(stall: .seconds(10), endsWhenFull: true, isStallDryRun: true))
        _ = machine.clientStopped(level: .low, at: .seconds(1))
        machine.clientLooked(taken: 0, at: .seconds(11))
        #expect(!machine.wouldHaveStalled)
        #expect(machine.deadlinePassed(at: .seconds(11)) == .none)
        #expect(machine.wouldHaveStalled)
        #expect(machine.nextDeadline == .distantFuture, "noted once")
        #expect(machine.chunkArrived(at: .seconds(12), level: .full) == .pauseUpstream)
    }

    @Test func aDryRunDoesNotLetAPauseLastForEver() {
        var machine = open(.init(pause: .seconds(10), isStallDryRun: true))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        _ = machine.clientStopped(level: .full, at: .seconds(1))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .cancelUpstream)
    }

    @Test func aClientThatHoldsItsOwnStreamIsNotSlowAndHasATime() {
        var machine = open(.init(pause: .seconds(600), stall: .seconds(10)))
        machine.clientPaused(at: .seconds(1))
        machine.clientPaused(at: .seconds(5))
        #expect(machine.nextDeadline == .seconds(601))
        var released = machine
        released.clientResumed(at: .seconds(6))
        #expect(released.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(601)) == .finish(.cancelled))
    }

    @Test func whileAClientHoldsItsStreamWhatItLeavesDoesNotCount() {
        var machine = open(.init(stall: .seconds(8)))
        _ = machine.clientStopped(level: .full, at: .seconds(1))
        machine.clientPaused(at: .seconds(2))
        #expect(machine.nextDeadline == .distantFuture)
        #expect(machine.deadlinePassed(at: .seconds(100)) == .none)
        machine.clientResumed(at: .seconds(100))
        #expect(machine.nextDeadline == .seconds(101), "it is looked at again")
        machine.clientLooked(taken: 0, at: .seconds(101))
        #expect(machine.deadlinePassed(at: .seconds(107.9)) == .none)
        #expect(machine.deadlinePassed(at: .seconds(108)) == .finish(.slowConsumer))
    }

    @Test func underDisconnectAQueueThatIsFullForTheClientsOwnHoldPauses() {
        var machine = open(.init(endsWhenFull: true))
        _ = machine.clientStopped(level: .low, at: .seconds(1))
        machine.clientPaused(at: .seconds(2))
        #expect(machine.chunkArrived(at: .seconds(3), level: .full) == .pauseUpstream)
        #expect(machine.clientStopped(level: .full, at: .seconds(4)) == .none)
    }

    @Test func aPauseThatRunsOutWhileTheClientHoldsIsNotItsStall() {
        var machine = open(.init(pause: .seconds(10)))
        _ = machine.chunkArrived(at: .seconds(1), level: .full)
        _ = machine.clientStopped(level: .full, at: .seconds(1))
        machine.clientPaused(at: .seconds(5))
        #expect(machine.deadlinePassed(at: .seconds(11)) == .cancelUpstream)
    }

    // MARK: Invariant 4: without a client

    @Test func aLostClientMayComeBackWithinItsWindow() {
        var machine = open(.init(resumeWindow: .seconds(30)))
        #expect(machine.clientDisconnected(at: .seconds(1)) == .detach)
        #expect(machine.isDetached)
        #expect(machine.nextDeadline == .seconds(31))
        #expect(machine.upstreamEnded(.completed, at: .seconds(2)) == .none)
        #expect(machine.emptied() == .none, "there is no response to end")
        var back = machine
        back.attached()
        #expect(back.emptied() == .endResponse(.completed))
        #expect(machine.deadlinePassed(at: .seconds(31)) == .finish(.clientGone))
    }

    @Test func aResumedStreamIgnoresTheUnreadBytesOfTheOldConnection() {
        var machine = open(.init(stall: .seconds(10), resumeWindow: .seconds(30)))
        _ = machine.clientStopped(level: .full, at: .seconds(1))
        machine.attached()
        #expect(!machine.isBlocked)
        #expect(machine.deadlinePassed(at: .seconds(11)) == .none)
    }

    @Test func aClientLostAtTheEndMayComeBackForIt() {
        var machine = open(.init(resumeWindow: .seconds(30)))
        _ = machine.upstreamEnded(.completed, at: .seconds(1))
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(machine.clientDisconnected(at: .seconds(1)) == .detach)
        machine.attached()
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(machine.responseTaken() == .finish(.completed))
    }

    // MARK: A response that was sent

    private func sent(_ limits: StreamMachine.Limits) -> StreamMachine {
        var machine = open(limits)
        _ = machine.upstreamEnded(.completed, at: .seconds(1))
        _ = machine.emptied()
        _ = machine.clientStopped(level: .middle, at: .seconds(1))
        machine.responseSent()
        return machine
    }

    @Test(arguments: [Outcome.clientGone, .drained, .cancelled])
    func whateverEndsAStreamWhoseResponseWasSentItIsComplete(reason: Outcome) {
        var machine = sent(.init(resumeWindow: .seconds(30)))
        #expect(machine.isSent)
        #expect(machine.end(reason) == .finish(.completed))
        #expect(machine.end(reason) == .none && machine.responseTaken() == .none && !machine.isSent)
    }

    @Test func aClientThatHasBeenSentEverythingIsNoSlowConsumer() {
        let machine = sent(.init(stall: .seconds(5), resumeWindow: .seconds(30)))
        #expect(!machine.isBlocked && machine.nextDeadline == .distantFuture)
    }

    @Test func aResponseThatWasSentInTimeIsNoTimeout() {
        var machine = sent(.init(total: .seconds(5), resumeWindow: .seconds(30)))
        #expect(machine.nextDeadline == .seconds(5))
        #expect(machine.deadlinePassed(at: .seconds(5)) == .finish(.completed))
        #expect(machine.expired == nil)
    }

    @Test func aClientThatDidNotReceiveWhatWasSentMayComeBack() {
        var machine = sent(.init(resumeWindow: .seconds(30)))
        #expect(machine.clientDisconnected(at: .seconds(2)) == .detach)
        #expect(machine.emptied() == .none && machine.detachedUntil == .seconds(32))
        machine.attached()
        #expect(machine.emptied() == .endResponse(.completed))
        #expect(machine.responseTaken() == .finish(.completed))
    }

    @Test func beforeTheHeadALostClientIsGone() {
        var machine = StreamMachine(limits: .init(resumeWindow: .seconds(30)), at: Self.start)
        #expect(machine.clientDisconnected(at: .seconds(1)) == .finish(.clientGone))
    }

    @Test func aStreamThatWaitsForItsClientKeepsItsFailureForIt() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(30)), at: Self.start)
        machine.detached(until: .seconds(60))
        var refused = machine
        #expect(refused.upstreamEnded(.upstreamFailed, at: .seconds(1)) == .none)
        #expect(!refused.isFinished)
        #expect(refused.comingEnd == .upstreamFailed)
        #expect(machine.comingEnd == nil)
        #expect(machine.deadlinePassed(at: .seconds(30)) == .cancelUpstream)
        #expect(machine.comingEnd == .upstreamTimeout)
        #expect(machine.deadlinePassed(at: .seconds(60)) == .finish(.clientGone))
    }

    @Test func aDetachedClientIsNotSlow() {
        var machine = open(.init(stall: .seconds(10), resumeWindow: .seconds(60)))
        _ = machine.clientStopped(level: .full, at: .seconds(1))
        _ = machine.clientDisconnected(at: .seconds(2))
        #expect(machine.clientStopped(level: .full, at: .seconds(3)) == .none)
        #expect(machine.nextDeadline == .seconds(62))
    }

    @Test func newLimitsCountFromTheBeginningOfThePresentPhase() {
        var machine = StreamMachine(limits: .init(firstByte: .seconds(30), total: .seconds(60)), at: Self.start)
        machine.setLimits(.init(firstByte: .seconds(10)), at: .seconds(5))
        #expect(machine.nextDeadline == .seconds(10))
        machine.setLimits(.init(), at: .seconds(6))
        #expect(machine.nextDeadline == .distantFuture)
    }
}
