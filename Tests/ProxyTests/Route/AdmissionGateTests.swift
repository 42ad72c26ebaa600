import Flow
import NIOConcurrencyHelpers
import Settings
import Testing
import Upstream

@testable import Proxy

extension RouteUpstream {
    static let any = named("any")

    static func named(_ name: String) -> RouteUpstream {
        let address = UpstreamAddress(host: name, port: 9000)
        return RouteUpstream(
            address: address, origin: Origin(url: address.url, connectTimeout: .seconds(1), receiveBuffer: nil))
    }
}

extension AdmissionGate {
    fileprivate var openStreams: Int { withState { $0.admission.openStreams } }
    /// Streams and plain requests.
    fileprivate var openRequests: Int { withState { $0.admission.openRequests } }
}

extension Permit {
    /// Ends it now.
    fileprivate consuming func release() {}
}

@Suite struct AdmissionGateTests {
    private let ann = ClientKey("ann")
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test func aPermitGivesItsSlotBackWhenItGoes() throws {
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

    @Test func releaseGivesTheSlotBackAtOnceAndOnce() throws {
        let gate = AdmissionGate(rules: .init(), upstreams: [.any])
        let first = try gate.admit(ann, at: start)
        let second = try gate.admit(ann, at: start)
        first.release()
        #expect(gate.openStreams == 1)
        second.release()
        #expect(gate.openStreams == 0)
    }

    /// The upstream's breaker remembers a probe that ended without a verdict for a window from then on.
    @Test func aPermitEndsAtTheTimeOfTheGatesClock() throws {
        let time = NIOLockedValueBox(start)
        let gate = AdmissionGate(
            rules: .init(upstreams: .init(breaker: Self.breaker)), upstreams: [.any],
            clock: { time.withLockedValue { $0 } })
        var failed = try gate.admit(ann, at: start)
        failed.upstreamEnded(.init(outcome: .upstreamFailed, status: nil), at: start)
        failed.release()
        let probe = try gate.admit(ann, at: start + .seconds(36))
        let end = start + .seconds(1000)
        time.withLockedValue { $0 = end }
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

    @Test func aPermitTellsTheStartsThatAreLeft() throws {
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
        let second = try gate.admit(ann, at: start)
        #expect(second.displaced == stream)
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

    @Test func aDetachedStreamThatEndsGivesItsSlotBack() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 1)), upstreams: [.any])
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var first = try gate.admit(ann, at: start)
        first.detached(as: stream, until: start + .seconds(30))
        first.release()
        #expect(gate.openStreams == 0)
        let second = try gate.admit(ann, at: start)
        #expect(second.displaced == nil)
    }

    @Test func refusalsForStartsAreSpreadAndOthersStay() throws {
        let rate = try #require(Rate("1/second"))
        let gate = AdmissionGate(rules: .init(limits: .init(starts: rate, startsBurst: 1)), upstreams: [.any])
        _ = try gate.admit(ann, at: start)
        let refusal = AdmissionError.tooManyStarts(rate: rate, retryAfter: .seconds(1))
        let told = (0..<3).map { _ in gate.spread(refusal, of: ann, at: start).retryAfter.retryAfterSeconds }
        #expect(told == [1, 2, 3])
        let other = AdmissionError.tooManyStreamsOfClient(limit: 1)
        #expect(gate.spread(other, of: ann, at: start) == other)
    }

    @Test func inADryRunAPermitTellsWhatItWouldHaveBeenRefusedFor() throws {
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
        let gate = AdmissionGate(rules: .init(clientBreaker: Self.breaker), upstreams: [.any]) { _, state in
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

    @Test func aFailingUpstreamIsLeftAloneAndAProbeGivesItsSlotBack() throws {
        let gate = AdmissionGate(rules: .init(upstreams: .init(breaker: Self.breaker)), upstreams: [.any])
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

    @Test func aProbeOfFewRecordsProvesGoodByItsTime() throws {
        let gate = AdmissionGate(rules: .init(clientBreaker: Self.breaker), upstreams: [.any])
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

    @Test func aBreakerOnTrialTellsAndLetsIn() throws {
        let gate = AdmissionGate(
            rules: .init(clientBreaker: Self.breaker, isClientBreakerDryRun: true), upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        stalled.release()
        let next = try gate.admit(ann, at: start)
        #expect(next.wouldRefuse.count == 1)
        next.release()
    }

    @Test func aRefusalBehindTheBreakersGivesTheProbeBack() throws {
        let gate = AdmissionGate(
            rules: .init(limits: .init(perRoute: 1), clientBreaker: Self.breaker), upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        stalled.release()
        let later = start + .seconds(36)
        let other = try gate.admit(ClientKey("bob"), at: later)
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1)) { _ = try gate.admit(ann, at: later) }
        other.release()
        _ = try gate.admit(ann, at: later)
    }

    @Test func streamsOfOneClientShareItsRecords() throws {
        let rate = try #require(Rate("10/second"))
        let gate = AdmissionGate(rules: .init(clientRecords: rate), upstreams: [.any])
        var permit = try gate.admit(ann, at: start)
        var due = start
        for _ in 0..<20 { due = max(due, permit.draw(upTo: 1, at: start)?.notBefore ?? start) }
        #expect(due >= start + .seconds(0.9))
        #expect(throws: AdmissionError.self) { _ = try gate.admit(ann, at: start) }
        permit.release()
    }

    @Test func noSlotIsLostOrMadeWhenManyThreadsComeAtOnce() async {
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

    @Test func otherRulesCountForWhatIsOpenAlready() throws {
        let gate = AdmissionGate(rules: .init(limits: .init(perClient: 2)), upstreams: [.any])
        let first = try gate.admit(ann, at: start)
        gate.apply(.init(limits: .init(perClient: 1)), upstreams: [.any], at: start)
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) { _ = try gate.admit(ann, at: start) }
        first.release()
        let second = try gate.admit(ann, at: start)
        second.release()
        #expect(gate.openStreams == 0)
    }

    @Test func aBreakerThatWasSwitchedOffForgetsItsTickets() throws {
        let rules = GateRules(clientBreaker: Self.breaker)
        let gate = AdmissionGate(rules: rules, upstreams: [.any])
        var stalled = try gate.admit(ann, at: start)
        stalled.clientStalled(at: start)
        stalled.release()
        let probe = try gate.admit(ann, at: start + .seconds(36))
        gate.apply(.init(), upstreams: [.any], at: start + .seconds(36))
        let free = try gate.admit(ann, at: start + .seconds(36))
        gate.apply(rules, upstreams: [.any], at: start + .seconds(36))
        // The breaker is closed again, and neither ticket of before is any probe of it.
        let after = try gate.admit(ann, at: start + .seconds(36))
        #expect(probe.trialTime != nil && free.trialTime == nil && after.trialTime == nil)
        probe.release()
        free.release()
        after.release()
        #expect(gate.openStreams == 0)
    }
}
