import Flow
import TestSupport
import Testing

/// Random walks of a machine whose orders are carried out, as far as they can be seen: paused or not, over or not.
@Suite struct StreamMachineModelTests {
    private static let limits = StreamMachine.Limits(
        firstByte: .seconds(30), firstRecord: .seconds(25), betweenRecords: .seconds(15), idle: .seconds(20),
        pause: .seconds(40), stall: .seconds(10), total: .seconds(500), resumeWindow: .seconds(25))

    @Test(arguments: 0..<200) func pausesAlternateWithResumesAndTheEndIsReportedOnce(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var now = Instant.seconds(0)
        var machine = StreamMachine(limits: Self.limits, at: now)
        var isPaused = false, hasEnded = false, responseEnds = 0, finishes = 0, detachments = 0
        for _ in 0..<200 {
            now = now.advanced(byNanoseconds: Int64.random(in: 0...3_000_000_000, using: &random))
            let wasFinished = machine.isFinished
            let action = step(&machine, at: now, using: &random)
            if wasFinished { #expect(action == .none) }
            switch action {
            case .none: break
            case .pauseUpstream:
                #expect(!isPaused && !hasEnded)
                isPaused = true
            case .resumeUpstream:
                #expect(isPaused && !hasEnded)
                isPaused = false
            case .cancelUpstream:
                #expect(!hasEnded && machine.isEmptying)
            case .tryAnother:
                #expect(!hasEnded && !isPaused)
                if Bool.random(using: &random) { machine.attemptBegan(at: now) }
            case .detach:
                #expect(machine.isDetached)
                detachments += 1
            case .endResponse:
                #expect(!machine.isDetached)
                hasEnded = true
                responseEnds += 1
            case .finish:
                hasEnded = true
                finishes += 1
                #expect(machine.isFinished)
            }
            hasEnded = hasEnded || machine.isEmptying
            if !hasEnded { #expect(machine.isPaused == isPaused) }
            #expect(machine.paused(at: now) >= .zero)
        }
        if case .finish = machine.end(.drained) { finishes += 1 }
        #expect(machine.isFinished)
        #expect(responseEnds <= 1 + detachments, "a resumed client gets the end again")
        #expect(finishes == 1)
    }

    /// Sends one event, as a driver could: a deadline only when it has passed.
    private func step(
        _ machine: inout StreamMachine, at now: Instant, using random: inout SeededGenerator
    ) -> StreamMachine.Action {
        let level = QueueLevel.allCases.randomElement(using: &random) ?? .low
        switch Int.random(in: 0..<24, using: &random) {
        case 0: machine.headArrived(isWatched: true, at: now)
        case 21: machine.headWithheld(at: now)
        case 22: machine.recordArrived(at: now)
        case 1..<8: return machine.chunkArrived(at: now, level: level)
        case 8..<14:
            return machine.recordsSent(level: level, at: now)
        case 14: return machine.clientStopped(level: level, at: now)
        case 15, 16: machine.clientTook()
        case 17:
            machine.clientLooked(taken: Int.random(in: 0..<3, using: &random), at: now)
            let isDue = now >= machine.nextDeadline && !machine.isFinished
            let action = machine.deadlinePassed(at: now)
            #expect((action != .none) == isDue)
            return action
        case 18:
            guard Int.random(in: 0..<10, using: &random) == 0 else { return machine.emptied() }
            return machine.upstreamEnded(Bool.random(using: &random) ? .completed : .upstreamFailed, at: now)
        case 19: machine.attached()
        case 20: machine.clientCaughtUp()
        default:
            guard Int.random(in: 0..<10, using: &random) == 0 else { return machine.responseTaken() }
            return machine.clientDisconnected(at: now)
        }
        return .none
    }
}
