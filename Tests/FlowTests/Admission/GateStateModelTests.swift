import TestSupport
import Testing

@testable import Flow

/// Random lives of grants, in the orders in which streams call, with reloads between.
@Suite struct GateStateModelTests {
    fileprivate struct Life {
        var grant: AdmissionGrant
        let stream: StreamId
        /// `false` while the stream waits for the replicas, and the one that it displaced has not ended.
        var hasBegun: Bool
        var hasHead = false
    }

    fileprivate struct Walk {
        var random: SeededGenerator
        var gate: GateState
        var lives: [Life] = []
        var now = Instant.seconds(100)

        init(seed: Int) {
            random = SeededGenerator(seed: seed)
            gate = GateState(rules: Self.rules(&random), upstreams: Self.upstreams(&random))
        }
    }

    /// The gate traps where a caller counts wrong: no order reaches that, and nothing is left.
    @Test(arguments: 0..<100) func eachGrantIsGivenBackOnce(seed: Int) {
        var walk = Walk(seed: seed)
        for _ in 0..<400 {
            walk.step()
            #expect(walk.gate.admission.openRequests == walk.lives.count)
            #expect((0...walk.lives.count).contains(walk.gate.admission.openStreams))
        }
        while !walk.lives.isEmpty { walk.end(0) }
        #expect((walk.gate.admission.openStreams, walk.gate.admission.openRequests) == (0, 0))
        #expect(walk.gate.upstreams.statuses(at: walk.now).allSatisfy { $0.openRequests == 0 })
    }
}

extension GateStateModelTests.Walk {
    private static func rules(_ random: inout SeededGenerator) -> GateRules {
        let breaker = CircuitBreaker.Policy(
            trips: Int.random(in: 1...2, using: &random), window: .seconds(2), cooldown: .seconds(1),
            probes: Int.random(in: 1...2, using: &random))
        return GateRules(
            limits: Admission.Limits(
                perClient: [nil, 1, 2].randomElement(using: &random) ?? nil,
                perRoute: [nil, 2, 4].randomElement(using: &random) ?? nil,
                starts: Bool.random(using: &random) ? Rate(5, per: .second) : nil, startsBurst: 3,
                isDryRun: Int.random(in: 0..<8, using: &random) == 0),
            clientBreaker: Bool.random(using: &random) ? breaker : nil,
            isClientBreakerDryRun: Bool.random(using: &random),
            upstreams: UpstreamRules(
                limit: Bool.random(using: &random) ? 2 : nil, breaker: Bool.random(using: &random) ? breaker : nil,
                isBreakerDryRun: Bool.random(using: &random)),
            clientRecords: Bool.random(using: &random) ? RecordAllowance(rate: Rate(100, per: .second)) : nil)
    }

    private static func upstreams(_ random: inout SeededGenerator) -> [String] {
        Array(["one", "two", "three"].shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
    }

    fileprivate mutating func step() {
        now = now + .milliseconds(Int.random(in: 0...300, using: &random))
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<7: begin()
        case 7: gate.apply(Self.rules(&random), upstreams: Self.upstreams(&random), at: now)
        default:
            guard let index = lives.indices.randomElement(using: &random) else { return }
            if lives[index].hasBegun { change(index) } else { decide(index) }
        }
    }

    private mutating func begin() {
        let client = ClientKey("client \(Int.random(in: 0..<3, using: &random))")
        let takesUpstream = Bool.random(using: &random)
        guard let grant = try? gate.admit(client, takesUpstream: takesUpstream, at: now) else { return }
        lives.append(
            GateStateModelTests.Life(grant: grant, stream: StreamId(using: &random), hasBegun: grant.displaced == nil))
    }

    /// The replicas refuse the stream, or it begins, and the one that it displaced ends.
    private mutating func decide(_ index: Int) {
        guard Bool.random(using: &random) else { return end(index) }
        lives[index].hasBegun = true
        let displaced = lives[index].grant.displaced
        if let other = lives.firstIndex(where: { $0.stream == displaced }) { end(other) }
    }

    private mutating func change(_ index: Int) {
        guard Int.random(in: 0..<6, using: &random) > 0 else { return end(index) }
        var life = lives[index]
        defer { lives[index] = life }
        let records = Int.random(in: 0...2, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where !life.hasHead:
            life.hasHead = true
            if Bool.random(using: &random) { gate.turnedOutPlain(&life.grant) }
        case 1 where life.hasHead: gate.detached(&life.grant, as: life.stream, until: now + .seconds(5))
        case 2 where life.hasHead:
            // `false` for a displaced stream, which ends then; here it ends later.
            _ = gate.attached(&life.grant)
        case 3 where !life.hasHead: _ = gate.tryAnother(&life.grant, at: now)
        case 4 where life.grant.upstream == nil: try? gate.takeUpstream(&life.grant, at: now)
        case 5: _ = gate.delivered(&life.grant, records: records, at: now)
        case 6:
            if let lease = gate.draw(&life.grant, upTo: records + 1, at: now) {
                gate.giveBack(min(records, lease.records), of: life.grant, at: now)
            }
            gate.charge(records, of: life.grant, at: now)
        default:
            let outcome = Outcome.allCases.randomElement(using: &random) ?? .completed
            _ = gate.clientStalled(&life.grant, at: now, jitter: 0.5)
            _ = gate.upstreamEnded(
                &life.grant, .init(outcome: outcome, status: 200, records: records), at: now, jitter: 0)
        }
    }

    fileprivate mutating func end(_ index: Int) {
        let life = lives.remove(at: index)
        if !life.hasBegun { _ = gate.returnSlot(of: life.grant) }
        gate.release(life.grant, at: now)
    }
}
