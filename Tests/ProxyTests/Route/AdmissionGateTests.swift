import Flow
import Settings
import TestSupport
import Testing

@testable import Proxy

@Suite struct AdmissionGateTests {
    private let ann = ClientKey("ann")
    private let start = Instant.seconds(0)

    @Test func refusalsForStartsAreSpreadAndOthersStay() throws {
        let rate = try #require(Rate("1/second"))
        let gate = AdmissionGate(rules: .init(limits: .init(starts: rate, startsBurst: 1)), upstreams: [.any])
        _ = try gate.admit(ann, at: start)
        let refusal = AdmissionError.tooManyStarts(rate: rate, retryAfter: .seconds(1))
        let waits = (0..<3).map { _ in gate.spread(refusal, of: ann, at: start).retryAfter.retryAfterSeconds }
        #expect(waits == [1, 2, 3])
        let other = AdmissionError.tooManyStreamsOfClient(limit: 1)
        #expect(gate.spread(other, of: ann, at: start) == other)
    }

    @Test func aBreakerInADryRunReportsAndAdmits() throws {
        let gate = AdmissionGate(
            rules: .init(clientBreaker: .sensitive, isClientBreakerDryRun: true), upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        stalled.release()
        let next = try gate.admit(ann, at: start)
        #expect(next.wouldRefuse.count == 1)
        next.release()
    }

    @Test func aRefusalAfterTheBreakersReleasesTheProbe() throws {
        let gate = AdmissionGate(
            rules: .init(limits: .init(perRoute: 1), clientBreaker: .sensitive), upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        stalled.release()
        let later = start + .seconds(36)
        let other = try gate.admit(ClientKey("bob"), at: later)
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1)) { _ = try gate.admit(ann, at: later) }
        other.release()
        _ = try gate.admit(ann, at: later)
    }

    @Test func concurrentAdmissionsKeepTheLimit() async {
        let start = start
        let gate = AdmissionGate(rules: .init(limits: .init(perRoute: 3)), upstreams: [.any])
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

    @Test func newRulesCountForOpenStreams() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 2)), upstreams: [.any])
        let first = try gate.admit(ann, at: start)
        gate.apply(.init(limits: .init(perClient: 1)), upstreams: [.any], at: start)
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) { _ = try gate.admit(ann, at: start) }
        first.release()
        let second = try gate.admit(ann, at: start)
        second.release()
        #expect(gate.openStreams == 0)
    }

    @Test func aBreakerThatWasSwitchedOffIgnoresItsOldTickets() throws {
        let rules = GateRules(clientBreaker: .sensitive)
        let gate = AdmissionGate(rules: rules, upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        stalled.release()
        let probe = try gate.admit(ann, at: start + .seconds(36))
        gate.apply(.init(), upstreams: [.any], at: start + .seconds(36))
        let free = try gate.admit(ann, at: start + .seconds(36))
        gate.apply(rules, upstreams: [.any], at: start + .seconds(36))
        // The breaker is closed again; neither of the earlier tickets is one of its probes.
        let after = try gate.admit(ann, at: start + .seconds(36))
        #expect(probe.trialTime != nil && free.trialTime == nil && after.trialTime == nil)
        probe.release()
        free.release()
        after.release()
        #expect(gate.openStreams == 0)
    }

    @Test func newUpstreamsServeNewStreamsOnly() throws {
        let gate = AdmissionGate(rules: .init(), upstreams: [.named("old")])
        let earlier = try gate.admit(ann, at: start)
        gate.apply(.init(), upstreams: [.named("new")], at: start)
        let later = try gate.admit(ann, at: start)
        #expect(earlier.upstream?.address.host == "old" && later.upstream?.address.host == "new")
        earlier.release()
        later.release()
        #expect(gate.openRequests == 0)
    }

    @Test func theRulesAreThoseThatWereApplied() {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        #expect(gate.rules.limits.perClient == 1)
        gate.apply(.init(limits: .init(perClient: 2)), upstreams: [.any], at: start)
        #expect(gate.rules.limits.perClient == 2)
    }
}
