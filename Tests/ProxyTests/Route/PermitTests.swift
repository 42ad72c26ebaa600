import Flow
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Proxy

@Suite struct PermitTests {
    private let ann = ClientKey("ann")
    private let start = Instant.seconds(0)

    @Test func theEndOfAPermitReleasesItsSlot() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        do {
            let permit = try gate.admit(ann, at: start)
            #expect(permit.quotas == ClientQuotas(streams: 0))
            #expect(gate.openStreams == 1)
            #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) {
                _ = try gate.admit(ann, at: start)
            }
        }
        #expect(gate.openStreams == 0)
        #expect(gate.openRequests == 0)
    }

    @Test func aSlotIsReleasedOnce() throws {
        let gate = AdmissionGate(rules: .init(), upstreams: [.any])
        let first = try gate.admit(ann, at: start)
        let second = try gate.admit(ann, at: start)
        first.release()
        #expect(gate.openStreams == 1)
        second.release()
        #expect(gate.openStreams == 0)
    }

    /// The upstream's breaker remembers a probe that ended without a verdict for a window from then on.
    @Test func thePermitEndsAtTheTimeOfTheGatesClock() throws {
        let clock = ManualClock()
        let gate = AdmissionGate(
            rules: .init(upstreams: .init(breaker: .sensitive)), upstreams: [.any], clock: clock.read)
        var failed = try gate.admit(ann, at: start)
        failed.upstreamEnded(.init(outcome: .upstreamFailed, status: nil), at: start)
        failed.release()
        let probe = try gate.admit(ann, at: start + .seconds(36))
        clock.advance(by: .seconds(1000))
        let end = clock.now
        probe.release()
        let states = [end + .seconds(59), end + .seconds(60)].map { now in
            gate.withState { $0.upstreams.statuses(at: now)[0].state }
        }
        #expect(states == [.halfOpen, .closed])
    }

    @Test func aPermitForAPlainResponseHoldsTheUpstreamOnly() throws {
        let gate = AdmissionGate(rules: .init(upstreams: .init(limit: 1)), upstreams: [.any])
        var permit = try gate.admit(ann, at: start)
        permit.turnedOutPlain()
        permit.turnedOutPlain()
        #expect(gate.openStreams == 0)
        #expect(throws: AdmissionError.upstreamBusy(limit: 1)) { _ = try gate.admit(ann, at: start) }
        permit.release()
        #expect(gate.openRequests == 0)
    }

    @Test func thePermitReportsTheRemainingStarts() throws {
        let rate = try #require(Rate("1/second"))
        let gate = AdmissionGate(rules: .init(limits: .init(starts: rate, startsBurst: 5)), upstreams: [.any])
        let permit = try gate.admit(ann, at: start)
        #expect(permit.quotas.starts == StartQuota(remaining: 4, resetSeconds: 1))
        permit.release()
    }

    @Test func aDetachedStreamGivesItsSlotToTheNextStartOfItsClientOnce() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var first = try gate.admit(ann, at: start)
        first.detached(as: stream, until: start + .seconds(30))
        var second = try gate.admit(ann, at: start)
        let displaced = second.begin()
        #expect(displaced == stream)
        let isAttached = first.attached()
        #expect(!isAttached)
        #expect(gate.openStreams == 1)
        first.release()
        #expect((gate.openStreams, gate.openRequests) == (1, 1))
        second.release()
        #expect((gate.openStreams, gate.openRequests) == (0, 0))
    }

    @Test func aStreamWhoseClientIsBackKeepsItsSlot() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var first = try gate.admit(ann, at: start)
        for _ in 0..<2 {
            first.detached(as: stream, until: start + .seconds(30))
            let isAttached = first.attached()
            #expect(isAttached)
        }
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) { _ = try gate.admit(ann, at: start) }
        first.release()
        #expect(gate.openStreams == 0)
    }

    @Test func aDetachedStreamThatEndsReleasesItsSlot() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var first = try gate.admit(ann, at: start)
        first.detached(as: stream, until: start + .seconds(30))
        first.release()
        #expect(gate.openStreams == 0)
        var second = try gate.admit(ann, at: start)
        let displaced = second.begin()
        #expect(displaced == nil)
    }

    @Test func aStartThatDoesNotBeginGivesTheSlotBack() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var first = try gate.admit(ann, at: start)
        first.detached(as: stream, until: start + .seconds(30))
        for _ in 0..<2 { _ = try gate.admit(ann, at: start) }
        #expect((gate.openStreams, gate.openRequests) == (1, 1))
        let isAttached = first.attached()
        #expect(isAttached)
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) { _ = try gate.admit(ann, at: start) }
        first.release()
        #expect((gate.openStreams, gate.openRequests) == (0, 0))
    }

    @Test func aStreamThatEndedWhileItsSlotWasTakenOverGetsNothingBack() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var first = try gate.admit(ann, at: start)
        first.detached(as: stream, until: start + .seconds(30))
        let second = try gate.admit(ann, at: start)
        first.release()
        second.release()
        #expect((gate.openStreams, gate.openRequests) == (0, 0))
        _ = try gate.admit(ann, at: start)
    }

    @Test func inADryRunThePermitReportsTheRefusal() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1, isDryRun: true)), upstreams: [.any])
        let first = try gate.admit(ann, at: start)
        #expect(first.wouldRefuse.isEmpty)
        let second = try gate.admit(ann, at: start)
        #expect(second.wouldRefuse == [.tooManyStreamsOfClient(limit: 1)])
        #expect(gate.openStreams == 2)
        first.release()
        second.release()
        #expect(gate.openStreams == 0)
    }

    private static let breaker = CircuitBreaker.Policy(
        trips: 1, window: .seconds(60), cooldown: .seconds(30), probes: 1, probeRecords: 10)

    @Test func aStallOpensTheClientsBreakerAndADeliveredProbeClosesIt() throws {
        let changes = NIOLockedValueBox<[CircuitBreaker.State]>([])
        let gate = AdmissionGate(rules: .init(clientBreaker: .sensitive), upstreams: [.any]) { _, state in
            changes.withLockedValue { $0.append(state) }
        }
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        #expect(stalled.retryAfter(at: start) >= .seconds(30))
        stalled.release()
        #expect(throws: AdmissionError.self) { _ = try gate.admit(ann, at: start) }
        _ = try gate.admit(ClientKey("bob"), at: start)
        let later = start + .seconds(36)
        var probe = try gate.admit(ann, at: later)
        probe.delivered(9, at: later)
        #expect(changes.withLockedValue { $0 } == [.open])
        probe.delivered(10, at: later)
        #expect(changes.withLockedValue { $0 } == [.open, .closed])
        probe.release()
        _ = try gate.admit(ann, at: later)
        #expect(gate.openRequests == 0)
    }

    @Test func anOpenUpstreamBreakerAdmitsOneProbeAtATime() throws {
        let gate = AdmissionGate(rules: .init(upstreams: .init(breaker: .sensitive)), upstreams: [.any])
        var failed = try gate.admit(ann, at: start)
        failed.upstreamEnded(.init(outcome: .upstreamFailed, status: nil), at: start)
        failed.upstreamEnded(.init(outcome: .completed, status: 200), at: start)
        failed.release()
        #expect(throws: AdmissionError.self) { _ = try gate.admit(ann, at: start) }
        let later = start + .seconds(36)
        let probe = try gate.admit(ann, at: later)
        #expect(throws: AdmissionError.self) { _ = try gate.admit(ann, at: later) }
        probe.release()
        var second = try gate.admit(ann, at: later)
        second.upstreamEnded(.init(outcome: .completed, status: 200), at: later)
        _ = try gate.admit(ann, at: later)
        second.release()
    }

    @Test func aProbeOfFewRecordsClosesTheBreakerByItsTime() throws {
        let gate = AdmissionGate(rules: .init(clientBreaker: .sensitive), upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        #expect(stalled.trialTime == nil)
        stalled.clientStalled(at: start)
        stalled.release()
        let later = start + .seconds(36)
        var probe = try gate.admit(ann, at: later)
        #expect(probe.trialTime == .seconds(60))
        probe.provedGood(at: later + .seconds(60))
        #expect(probe.trialTime == nil)
        _ = try gate.admit(ann, at: later + .seconds(60))
        probe.release()
    }

    @Test func streamsOfOneClientShareItsRecords() throws {
        let rate = try #require(Rate("10/second"))
        let gate = AdmissionGate(rules: .init(clientRecords: .init(rate: rate)), upstreams: [.any])
        var permit = try gate.admit(ann, at: start)
        var due = start
        for _ in 0..<20 { due = max(due, permit.draw(upTo: 1, over: nil, at: start)?.time ?? start) }
        #expect(due >= start + .seconds(0.9))
        #expect(throws: AdmissionError.self) { _ = try gate.admit(ann, at: start) }
        permit.release()
    }

    @Test func unusedRecordsReturnToTheBudget() throws {
        let rate = try #require(Rate("10/second"))
        let gate = AdmissionGate(rules: .init(clientRecords: .init(rate: rate)), upstreams: [.any])
        var permit = try gate.admit(ann, at: start)
        for _ in 0..<20 { _ = permit.draw(upTo: 1, over: nil, at: start) }
        permit.giveBack(0, at: start)
        #expect(throws: AdmissionError.self) { _ = try gate.admit(ann, at: start) }
        permit.giveBack(20, at: start)
        _ = try gate.admit(ann, at: start)
        permit.release()
    }

    @Test func withoutABudgetNothingIsDrawn() throws {
        let gate = AdmissionGate(rules: .init(), upstreams: [.any])
        var permit = try gate.admit(ann, at: start)
        let lease = permit.draw(upTo: 1, over: nil, at: start)
        #expect(lease == nil)
        permit.release()
    }

    @Test func aPermitMovesToAnotherUpstreamOnce() throws {
        let gate = AdmissionGate(rules: .init(), upstreams: [.named("one"), .named("two")])
        var permit = try gate.admit(ann, at: start)
        let first = permit.upstream?.name
        let second = permit.tryAnother(at: start)?.name
        #expect(Set([first, second]) == ["http://one:9000", "http://two:9000"])
        let third = permit.tryAnother(at: start)?.name
        let last = permit.upstream?.name
        #expect(third == nil && last == second)
        #expect(gate.openRequests == 1)
        permit.release()
        #expect(gate.openRequests == 0)
    }

    @Test func theChangesOfAnUpstreamsBreakerAreReported() throws {
        let changes = NIOLockedValueBox<[String]>([])
        let rules = GateRules(upstreams: .init(breaker: .sensitive))
        let gate = AdmissionGate(rules: rules, upstreams: [.any]) { kind, state in
            changes.withLockedValue { $0.append("\(kind) \(state)") }
        }
        var failed = try gate.admit(ann, at: start)
        failed.upstreamEnded(.init(outcome: .upstreamFailed, status: nil), at: start)
        failed.release()
        let later = start + .seconds(36)
        var probe = try gate.admit(ann, at: later)
        probe.delivered(10, at: later)
        probe.release()
        #expect(changes.withLockedValue { $0 } == ["upstream open", "upstream closed"])
    }
}
