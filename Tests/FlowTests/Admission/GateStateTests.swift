import Flow
import TestSupport
import Testing

@Suite struct GateStateTests {
    private static let breaker = CircuitBreaker.Policy(
        trips: 1, window: .seconds(60), cooldown: .seconds(30), probes: 1, probeRecords: 10)
    private static let longer = CircuitBreaker.Policy(
        trips: 1, window: .seconds(90), cooldown: .seconds(30), probes: 1, probeRecords: 20)

    private let ann = ClientKey("ann"), ben = ClientKey("ben")
    private let start = Instant.seconds(1000)
    /// After the cooldown, whatever its jitter.
    private var later: Instant { start + .seconds(36) }

    private func gate(_ rules: GateRules, upstreams: [String] = ["one"]) -> GateState {
        GateState(rules: rules, upstreams: upstreams)
    }

    /// A gate whose breakers for `ann` and for its upstream are open since `start`.
    private func tripped(_ rules: GateRules) throws -> GateState {
        var gate = gate(rules)
        var stalled = try gate.admit(ann, at: start)
        let hasOpened = gate.clientStalled(&stalled, at: start, jitter: 0)
        #expect(hasOpened == (rules.clientBreaker != nil))
        let state = gate.upstreamEnded(&stalled, .init(outcome: .upstreamFailed, status: nil), at: start, jitter: 0)
        #expect(state == (rules.upstreams.breaker == nil ? nil : .open))
        gate.release(stalled, at: start)
        return gate
    }

    private func draw(from gate: inout GateState, _ grant: inout AdmissionGrant) -> Int? {
        gate.draw(&grant, upTo: 1, at: start)?.records
    }

    private func isEmpty(_ gate: GateState) -> Bool {
        gate.admission.openStreams == 0 && gate.admission.openRequests == 0
            && gate.upstreams.statuses(at: start).allSatisfy { $0.openRequests == 0 }
    }

    // MARK: Requests that several streams share

    @Test func aSharedRequestTakesAnUpstreamAndNothingOfAClient() throws {
        var gate = gate(.init(limits: .init(perRoute: 1), upstreams: .init(limit: 1)))
        let pull = try gate.admitPull(at: start)
        let reader = try gate.admit(ann, takesUpstream: false, at: start)
        #expect(gate.admission.openStreams == 1)
        #expect(throws: AdmissionError.upstreamBusy(limit: 1)) { _ = try gate.admitPull(at: start) }
        gate.release(reader, at: start)
        gate.release(pull, at: start)
        #expect(isEmpty(gate))
    }

    @Test func aStreamThatContinuesAloneTakesAnUpstream() throws {
        var gate = gate(.init(upstreams: .init(limit: 1)))
        var reader = try gate.admit(ann, takesUpstream: false, at: start)
        let other = try gate.admit(ben, at: start)
        #expect(throws: AdmissionError.upstreamBusy(limit: 1)) { try gate.takeUpstream(&reader, at: start) }
        gate.release(other, at: start)
        try gate.takeUpstream(&reader, at: start)
        #expect(reader.upstream != nil)
        gate.release(reader, at: start)
        #expect(isEmpty(gate))
    }

    // MARK: Admit and release

    @Test func eachPartMayRefuseAndTakesNothing() throws {
        let rate = try Rate.of("1/second")
        let refusals: [(GateRules, AdmissionError)] = [
            (.init(upstreams: .init(limit: 1)), .upstreamBusy(limit: 1)),
            (.init(limits: .init(perClient: 1)), .tooManyStreamsOfClient(limit: 1)),
            (.init(limits: .init(perRoute: 1)), .tooManyStreamsOfRoute(limit: 1)),
            (.init(limits: .init(starts: rate)), .tooManyStarts(rate: rate, retryAfter: .seconds(1))),
        ]
        for (rules, refusal) in refusals {
            var gate = gate(rules)
            let first = try gate.admit(ann, at: start)
            #expect(throws: refusal) { _ = try gate.admit(ann, at: start) }
            #expect(gate.admission.openRequests == 1)
            gate.release(first, at: start)
            #expect(isEmpty(gate))
        }
    }

    @Test func aSpentRecordBudgetRefuses() throws {
        let rate = try Rate.of("1/second")
        var gate = gate(.init(clientRecords: .init(rate: rate)))
        var grant = try gate.admit(ann, at: start)
        for _ in 0..<3 {
            let lease = gate.draw(&grant, upTo: 1, at: start)
            #expect(lease?.records == 1)
        }
        #expect(throws: AdmissionError.recordBudgetSpent(rate: rate, retryAfter: .seconds(3))) {
            _ = try gate.admit(ann, at: start)
        }
        gate.giveBack(3, of: grant, at: start)
        let second = try gate.admit(ann, at: start)
        gate.release(grant, at: start)
        gate.release(second, at: start)
        #expect(isEmpty(gate))
    }

    @Test func aRefusalAfterTheBreakersGivesTheProbeBack() throws {
        var gate = try tripped(.init(limits: .init(perRoute: 1), clientBreaker: Self.breaker))
        let other = try gate.admit(ben, at: later)
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1)) { _ = try gate.admit(ann, at: later) }
        gate.release(other, at: later)
        let probe = try gate.admit(ann, at: later)
        #expect(probe.isProbe)
    }

    @Test func dryRunsAdmitAndReportEachRefusal() throws {
        let rate = try Rate.of("1/second")
        var gate = try tripped(
            .init(
                limits: .init(perClient: 0, isDryRun: true), clientBreaker: Self.breaker, isClientBreakerDryRun: true,
                upstreams: .init(breaker: Self.breaker, isBreakerDryRun: true), clientRecords: .init(rate: rate)))
        var first = try gate.admit(ann, at: start)
        for _ in 0..<3 { _ = gate.draw(&first, upTo: 1, at: start) }
        let second = try gate.admit(ann, at: start)
        let open = CircuitBreaker.Refusal(state: .open, retryAfter: .seconds(30))
        #expect(
            second.wouldRefuse == [
                .upstreamBreakerOpen(open), .clientBreakerOpen(open),
                .recordBudgetSpent(rate: rate, retryAfter: .seconds(3)), .tooManyStreamsOfClient(limit: 0),
            ])
        gate.release(first, at: start)
        gate.release(second, at: start)
        #expect(isEmpty(gate))
    }

    @Test func refusalsForStartsAreSpreadAndOthersStay() throws {
        let rate = try Rate.of("1/second")
        var gate = gate(.init(limits: .init(starts: rate)))
        _ = try gate.admit(ann, at: start)
        let refusal = AdmissionError.tooManyStarts(rate: rate, retryAfter: .seconds(1))
        let waits = (0..<3).map { _ in gate.spread(refusal, of: ann, at: start).retryAfter }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(3)])
        let other = AdmissionError.upstreamBusy(limit: 1)
        let unchanged = gate.spread(other, of: ann, at: start)
        #expect(unchanged == other)
    }

    @Test func aPlainResponseGivesTheSlotAndTheStartBackOnce() throws {
        var gate = gate(.init(limits: .init(perClient: 1, starts: try .of("1/second"))))
        var grant = try gate.admit(ann, at: start)
        #expect(grant.quotas == ClientQuotas(starts: .init(remaining: 0, resetSeconds: 1), streams: 0))
        for _ in 0..<2 { gate.turnedOutPlain(&grant) }
        #expect((gate.admission.openStreams, gate.admission.openRequests) == (0, 1))
        let next = try gate.admit(ann, at: start)
        gate.release(grant, at: start)
        gate.release(next, at: start)
        #expect(isEmpty(gate))
    }

    @Test func aDetachedStreamGivesItsSlotToTheNextStartOfItsClient() throws {
        let stream = try #require(StreamId(String(repeating: "1", count: 32)))
        var gate = gate(.init(limits: .init(perClient: 1)))
        var first = try gate.admit(ann, at: start)
        for _ in 0..<2 {
            gate.detached(&first, as: stream, until: start + .seconds(30))
            let isAttached = gate.attached(&first)
            #expect(isAttached)
        }
        gate.detached(&first, as: stream, until: start + .seconds(30))
        let second = try gate.admit(ann, at: start)
        #expect(second.displaced == stream)
        let isAttached = gate.attached(&first)
        #expect(!isAttached)
        gate.release(first, at: start)
        #expect((gate.admission.openStreams, gate.admission.openRequests) == (1, 1))
        gate.release(second, at: start)
        #expect(isEmpty(gate))
    }

    // MARK: Verdicts

    @Test func aProbeHasATrialTimeAndOtherStreamsHaveNone() throws {
        var closed = gate(.init(clientBreaker: Self.breaker, upstreams: .init(breaker: Self.longer)))
        let ordinary = try closed.admit(ann, at: start)
        #expect(closed.trialTime(of: ordinary) == nil)
        let times: [(client: CircuitBreaker.Policy?, upstream: CircuitBreaker.Policy?, time: Duration)] = [
            (Self.breaker, nil, .seconds(60)), (nil, Self.longer, .seconds(90)),
            (Self.breaker, Self.longer, .seconds(90)), (Self.longer, Self.breaker, .seconds(90)),
        ]
        for (client, upstream, time) in times {
            var gate = try tripped(.init(clientBreaker: client, upstreams: .init(breaker: upstream)))
            let probe = try gate.admit(ann, at: later)
            #expect(gate.trialTime(of: probe) == time)
        }
    }

    @Test func aProbeClosesEachBreakerByItsOwnNumberOfRecords() throws {
        var gate = try tripped(.init(clientBreaker: Self.breaker, upstreams: .init(breaker: Self.longer)))
        var probe = try gate.admit(ann, at: later)
        let closed = [9, 10, 19, 20, .max].map { gate.delivered(&probe, records: $0, at: later) }
        #expect(closed == [.init(), .init(client: true), .init(), .init(upstream: true), .init()])
        #expect(!probe.isProbe)
        #expect(gate.trialTime(of: probe) == nil)
    }

    @Test func whatIsNoProbeClosesNothing() throws {
        var gate = gate(.init(clientBreaker: Self.breaker, upstreams: .init(breaker: Self.breaker)))
        var grant = try gate.admit(ann, at: start)
        let closed = gate.delivered(&grant, records: .max, at: start)
        #expect(closed == .init())
    }

    @Test func onlyTheFirstVerdictCounts() throws {
        let twice = CircuitBreaker.Policy(trips: 2, window: .seconds(60), cooldown: .seconds(30))
        var gate = gate(.init(clientBreaker: twice, upstreams: .init(breaker: twice)))
        var grant = try gate.admit(ann, at: start)
        for _ in 0..<3 {
            let hasOpened = gate.clientStalled(&grant, at: start, jitter: 0)
            #expect(!hasOpened)
            let state = gate.upstreamEnded(&grant, .init(outcome: .upstreamFailed, status: nil), at: start, jitter: 0)
            #expect(state == nil)
        }
        gate.release(grant, at: start)
        _ = try gate.admit(ann, at: start)
    }

    @Test(
        arguments: [
            (UpstreamVerdict.Facts(outcome: .completed, status: 200), CircuitBreaker.State?.some(.closed)),
            (.init(outcome: .clientGone, status: 200, records: 10), .closed),
            (.init(outcome: .clientGone, status: 200, records: 9), nil),
            (.init(outcome: .upstreamFailed, status: nil), .open), (.init(outcome: .completed, status: 503), .open),
        ])
    func theEndOfAProbeDecides(facts: UpstreamVerdict.Facts, state: CircuitBreaker.State?) throws {
        var gate = try tripped(.init(upstreams: .init(breaker: Self.breaker)))
        var probe = try gate.admit(ann, at: later)
        let reached = gate.upstreamEnded(&probe, facts, at: later, jitter: 0)
        #expect(reached == state)
        #expect(!probe.awaitsVerdict)
        gate.release(probe, at: later)
        #expect(isEmpty(gate))
    }

    @Test func retryAfterIsThatOfTheBreakersAndAtLeastASecond() throws {
        var gate = gate(.init(clientBreaker: Self.breaker, upstreams: .init(breaker: Self.breaker)))
        var grant = try gate.admit(ann, at: start)
        #expect(gate.retryAfter(of: grant, at: start) == .seconds(1))
        _ = gate.clientStalled(&grant, at: start, jitter: 1)
        #expect(gate.retryAfter(of: grant, at: start) == .seconds(36))
        _ = gate.upstreamEnded(
            &grant, .init(outcome: .upstreamFailed, status: nil), at: start + .seconds(30), jitter: 0)
        #expect(gate.retryAfter(of: grant, at: start + .seconds(30)) == .seconds(30))
    }

    // MARK: Another upstream

    @Test func anotherUpstreamReplacesOneThatFailed() throws {
        var gate = gate(.init(upstreams: .init(limit: 1)), upstreams: ["one", "two"])
        var grant = try gate.admit(ann, at: start)
        #expect(grant.upstream?.name == "one")
        let hasMoved = gate.tryAnother(&grant, at: start)
        #expect(hasMoved)
        #expect(grant.upstream?.name == "two")
        // Both have been tried.
        let hasMovedAgain = gate.tryAnother(&grant, at: start)
        #expect(!hasMovedAgain)
        #expect(gate.upstreams.statuses(at: start).map(\.openRequests) == [0, 1])
        gate.release(grant, at: start)
        #expect(isEmpty(gate))
    }

    @Test func noOtherUpstreamIsTriedOnceTheRetriesAreUsedUp() throws {
        var gate = gate(.init(), upstreams: ["one", "two"])
        let tried = try (0..<20).count { _ in
            var grant = try gate.admit(ann, at: start)
            defer { gate.release(grant, at: start) }
            return gate.tryAnother(&grant, at: start)
        }
        #expect((10...14).contains(tried))
        #expect(isEmpty(gate))
    }

    // MARK: Other rules

    @Test func otherRulesCountForWhatIsOpen() throws {
        var gate = gate(.init(limits: .init(perClient: 2)))
        let first = try gate.admit(ann, at: start)
        gate.apply(.init(limits: .init(perClient: 1)), upstreams: ["one"], at: start)
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) { _ = try gate.admit(ann, at: start) }
        gate.release(first, at: start)
        #expect(isEmpty(gate))
    }

    @Test func aBudgetFollowsTheRules() throws {
        var gate = gate(.init())
        var grant = try gate.admit(ann, at: start)
        let drawn1 = draw(from: &gate, &grant)
        #expect(drawn1 == nil)
        for rate in ["1/second", "2/second"] {
            gate.apply(.init(clientRecords: .init(rate: try .of(rate))), upstreams: ["one"], at: start)
            #expect(gate.budgets.standard?.allowance.rate == (try .of(rate)))
        }
        let drawn2 = draw(from: &gate, &grant)
        #expect(drawn2 == 1)
        gate.apply(.init(), upstreams: ["one"], at: start)
        let drawn3 = draw(from: &gate, &grant)
        #expect(drawn3 == nil)
    }

    @Test func aBreakerThatWasSwitchedOffForgetsItsTickets() throws {
        let rules = GateRules(clientBreaker: Self.breaker)
        var gate = try tripped(rules)
        let probe = try gate.admit(ann, at: later)
        gate.apply(.init(), upstreams: ["one"], at: later)
        let free = try gate.admit(ann, at: later)
        gate.apply(rules, upstreams: ["one"], at: later)
        let after = try gate.admit(ann, at: later)
        #expect(probe.isProbe && !free.isProbe && !after.isProbe)
        for grant in [probe, free, after] { gate.release(grant, at: later) }
        #expect(isEmpty(gate))
    }
}
