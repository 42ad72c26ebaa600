import Flow
import Testing

@testable import Proxy

@Suite struct AdmissionGateTests {
    private let ann = ClientKey("ann")
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test func aPermitGivesItsSlotBackWhenItGoes() throws {
        let gate = AdmissionGate(limits: .init(perClient: 1))
        do {
            let permit = try gate.admit(ann, at: start)
            #expect(permit.startsLeft == nil)
            #expect(gate.openStreams == 1)
            #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) {
                _ = try gate.admit(ann, at: start)
            }
        }
        #expect(gate.openStreams == 0)
        #expect(gate.openRequests == 0)
    }

    @Test func releaseGivesTheSlotBackAtOnceAndOnce() throws {
        let gate = AdmissionGate(limits: .init())
        let first = try gate.admit(ann, at: start)
        let second = try gate.admit(ann, at: start)
        first.release()
        #expect(gate.openStreams == 1)
        second.release()
        #expect(gate.openStreams == 0)
    }

    @Test func aPermitForAPlainResponseHoldsTheUpstreamOnly() throws {
        let gate = AdmissionGate(limits: .init(upstreamStreams: 1))
        var permit = try gate.admit(ann, at: start)
        permit.turnedOutPlain()
        permit.turnedOutPlain()
        #expect(gate.openStreams == 0)
        #expect(throws: AdmissionError.upstreamBusy(limit: 1)) { _ = try gate.admit(ann, at: start) }
        permit.release()
        #expect(gate.openRequests == 0)
    }

    @Test func aPermitTellsTheStartsThatAreLeft() throws {
        let rate = try #require(Rate("1/second"))
        let gate = AdmissionGate(limits: .init(starts: rate, startsBurst: 5))
        let permit = try gate.admit(ann, at: start)
        #expect(permit.startsLeft == StartQuota(remaining: 4, resetSeconds: 1))
        #expect(gate.startsLeft(of: ann, at: start) == permit.startsLeft)
    }

    @Test func inADryRunAPermitTellsWhatItWouldHaveBeenRefusedFor() throws {
        let gate = AdmissionGate(limits: .init(perClient: 1, isDryRun: true))
        let first = try gate.admit(ann, at: start)
        #expect(first.wouldRefuse == nil)
        let second = try gate.admit(ann, at: start)
        #expect(second.wouldRefuse == .tooManyStreamsOfClient(limit: 1))
        #expect(gate.openStreams == 2)
        first.release()
        second.release()
        #expect(gate.openStreams == 0)
    }

    @Test func newLimitsBindFromThenOn() throws {
        let gate = AdmissionGate(limits: .init())
        let permit = try gate.admit(ann, at: start)
        gate.setLimits(.init(perRoute: 1))
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1)) { _ = try gate.admit(ann, at: start) }
        permit.release()
    }

    @Test func noSlotIsLostOrMadeWhenManyThreadsComeAtOnce() async {
        let start = start
        let gate = AdmissionGate(limits: .init(perRoute: 3))
        let admitted = await withTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask {
                    var admitted = 0
                    for _ in 0..<2000 {
                        guard let permit = try? gate.admit(ClientKey("\(number)"), at: start) else { continue }
                        if gate.openStreams <= 3 { admitted += 1 }
                        permit.release()
                    }
                    return admitted
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted > 0)
        #expect(gate.openStreams == 0)
        #expect(gate.openRequests == 0)
    }
}
