import Flow
import OTLP
import Testing

@Suite struct ExportCycleTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func at(_ seconds: Double) -> Instant { start + .seconds(seconds) }

    /// A cycle whose first body is being sent.
    private func sending(hasMore: Bool = false) -> ExportCycle {
        var cycle = ExportCycle(every: .seconds(60), at: start)
        _ = cycle.deadlinePassed(at: at(60))
        #expect(cycle.collected(isEmpty: false, hasMore: hasMore, at: at(60)) == .send)
        return cycle
    }

    @Test func collectsAtEachIntervalAndSendsWhatThereIs() {
        var cycle = ExportCycle(every: .seconds(60), at: start)
        #expect(cycle.deadline == at(60))
        #expect(cycle.deadlinePassed(at: at(59)) == .none)
        #expect(cycle.deadlinePassed(at: at(60)) == .collect)
        #expect(cycle.collected(isEmpty: true, at: at(61)) == .none)
        #expect(cycle.deadline == at(121))
        #expect(cycle.deadlinePassed(at: at(121)) == .collect)
        #expect(cycle.collected(isEmpty: false, at: at(121)) == .send)
        #expect(cycle.deadline == at(131))
        #expect(cycle.answered(.accepted, jitter: 0, at: at(122)) == .delivered)
        #expect(cycle.deadline == at(182))
    }

    @Test func continuesAtOnceIfThereIsMore() {
        var cycle = sending(hasMore: true)
        #expect(cycle.answered(.accepted, jitter: 0, at: at(61)) == .delivered)
        #expect(cycle.deadline == at(61))
        #expect(cycle.deadlinePassed(at: at(61)) == .collect)
    }

    @Test func tryingAgainTakesTwiceAsLongEachTimeAndEnds() {
        var cycle = sending(), now = 60.0
        for delay in [1.0, 2, 4, 8] {
            #expect(cycle.answered(.retryable(after: nil), jitter: 1, at: at(now)) == .none)
            now += delay
            #expect(cycle.deadline == at(now))
            #expect(cycle.deadlinePassed(at: at(now)) == .send)
        }
        #expect(cycle.answered(.retryable(after: nil), jitter: 1, at: at(now)) == .lose)
        #expect(cycle.deadline == at(now + 60))
    }

    @Test(arguments: [(0.0, 0.5), (0.5, 0.75), (1, 1)])
    func theDelayIsSpread(jitter: Double, delay: Double) {
        var cycle = sending()
        _ = cycle.answered(.retryable(after: nil), jitter: jitter, at: at(60))
        #expect(cycle.deadline == at(60 + delay))
    }

    @Test func theReceiversDelayIsHonoured() {
        var cycle = sending()
        #expect(cycle.answered(.retryable(after: .seconds(90)), jitter: 0, at: at(60)) == .none)
        #expect(cycle.deadlinePassed(at: at(149)) == .none)
        #expect(cycle.deadlinePassed(at: at(150)) == .send)
    }

    @Test func anAnswerThatDoesNotComeInTimeIsAFailure() {
        var cycle = sending()
        #expect(cycle.deadlinePassed(at: at(70)) == .none)
        #expect(cycle.deadlinePassed(at: at(71)) == .send)
        // The first attempt's answer, had it not been cancelled.
        #expect(cycle.deadline == at(81))
    }

    @Test func whatIsRejectedIsLost() {
        var cycle = sending()
        #expect(cycle.answered(.rejected, jitter: 0, at: at(61)) == .lose)
        #expect(cycle.deadline == at(121))
    }

    @Test func collectingThatDoesNotEndIsGivenUp() {
        var cycle = ExportCycle(every: .seconds(60), at: start)
        _ = cycle.deadlinePassed(at: at(60))
        #expect(cycle.deadlinePassed(at: at(70)) == .none)
        #expect(cycle.collected(isEmpty: false, at: at(71)) == .none)
        #expect(cycle.deadline == at(130))
    }

    // MARK: Draining

    @Test func aDrainSendsWhatIsLeftAndEnds() {
        var cycle = ExportCycle(every: .seconds(60), at: start)
        #expect(cycle.drain(until: at(3), at: at(1)) == .collect)
        #expect(cycle.collected(isEmpty: false, hasMore: true, at: at(1)) == .send)
        #expect(cycle.deadline == at(3))
        #expect(cycle.answered(.accepted, jitter: 0, at: at(1)) == .delivered)
        #expect(cycle.deadlinePassed(at: at(1)) == .collect)
        #expect(cycle.collected(isEmpty: false, at: at(1)) == .send)
        #expect(cycle.answered(.accepted, jitter: 0, at: at(2)) == .delivered)
        #expect(cycle.hasEnded)
        #expect(cycle.deadline == .distantFuture)
    }

    @Test func aDrainWithNothingLeftEndsAtOnce() {
        var cycle = ExportCycle(every: .seconds(60), at: start)
        #expect(cycle.drain(until: at(3), at: at(1)) == .collect)
        #expect(cycle.collected(isEmpty: true, at: at(1)) == .none)
        #expect(cycle.hasEnded)
    }

    @Test func aDrainWaitsForARequestAndCollectsAfterIt() {
        var cycle = sending()
        #expect(cycle.drain(until: at(63), at: at(61)) == .none)
        #expect(cycle.answered(.accepted, jitter: 0, at: at(62)) == .delivered)
        #expect(cycle.deadlinePassed(at: at(62)) == .collect)
        #expect(cycle.collected(isEmpty: true, at: at(62)) == .none)
        #expect(cycle.hasEnded)
    }

    @Test func aDrainTriesAgainAtOnceUnlessTheReceiverStatedATime() {
        var cycle = sending(), told = sending()
        _ = cycle.answered(.retryable(after: nil), jitter: 1, at: at(60))
        #expect(cycle.drain(until: at(63), at: at(60.5)) == .send)
        _ = told.answered(.retryable(after: .seconds(2)), jitter: 1, at: at(60))
        #expect(told.drain(until: at(63), at: at(60.5)) == .none)
        #expect(told.deadline == at(62))
        var late = sending()
        _ = late.answered(.retryable(after: .seconds(30)), jitter: 1, at: at(60))
        #expect(late.drain(until: at(63), at: at(60.5)) == .lose)
    }

    /// Whatever the receiver does, with every delay and any number of bodies.
    @Test(arguments: 0..<200) func aDrainEndsInTimeAndABodyIsSentAFewTimes(seed: Int) {
        var random = UInt64(seed) &* 2_862_933_555_777_941_757 &+ 3_037_000_493
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        var cycle = ExportCycle(every: .seconds(1), at: start)
        var now = start, drainEnd: Instant?, sends = 0, isRequestOpen = false
        func perform(_ action: ExportCycle.Action) {
            switch action {
            case .none: break
            case .collect:
                sends = 0
                perform(cycle.collected(isEmpty: next(3) == 0, hasMore: next(3) == 0, at: now))
            case .send: (sends, isRequestOpen) = (sends + 1, true)
            case .delivered, .lose: isRequestOpen = false
            }
        }
        for step in 0..<400 where !cycle.hasEnded {
            if step == 300 {
                drainEnd = now + .seconds(2)
                perform(cycle.drain(until: now + .seconds(2), at: now))
            } else if isRequestOpen, next(4) > 0 {
                isRequestOpen = false
                // The shell's timer cancels a request at its deadline.
                now = min(now + .milliseconds(Int64(next(50))), cycle.deadline)
                let answers: [ExportAnswer] = [
                    .accepted, .rejected, .retryable(after: nil), .retryable(after: .seconds(Int64(next(5)))),
                ]
                perform(cycle.answered(answers[Int(next(4))], jitter: Double(next(100)) / 100, at: now))
            } else {
                now = max(now, cycle.deadline)
                isRequestOpen = false
                perform(cycle.deadlinePassed(at: now))
            }
            #expect(sends <= ExportCycle.mostAttempts)
        }
        #expect(cycle.hasEnded)
        if let drainEnd { #expect(now <= drainEnd) }
    }
}
