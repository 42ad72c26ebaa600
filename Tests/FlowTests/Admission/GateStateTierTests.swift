import TestSupport
import Testing

@testable import Flow

/// The limits of a client's tier.
@Suite struct GateStateTierTests {
    private let ann = ClientKey("ann"), start = Instant.seconds(100)

    private func rules(records: Bool = false) throws -> GateRules {
        let limits = Admission.Limits(perClient: 1, perRoute: 4, starts: try .of("1/second"), startsBurst: 1)
        let gold = Admission.Limits(perClient: 3, perRoute: 4, starts: try .of("1/minute"), startsBurst: 3)
        var rules = GateRules(limits: limits)
        rules.tiers["gold"] = .init(limits: gold)
        guard records else { return rules }
        (rules.limits, rules.clientRecords) = (
            Admission.Limits(), RecordAllowance(rate: try .of("10/second"), burst: 10)
        )
        rules.tiers["gold"] = .init(
            limits: Admission.Limits(), clientRecords: RecordAllowance(rate: try .of("1000/second"), burst: 1000))
        rules.tiers["free"] = .init(limits: Admission.Limits())
        return rules
    }

    private func gate(_ rules: GateRules) -> GateState { GateState(rules: rules, upstreams: ["u"]) }

    @Test func eachTierHasItsOwnLimitsAndRetryAfter() throws {
        var gate = gate(try rules())
        let plain = try gate.admit(ClientKey("ben"), at: start)
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) {
            _ = try gate.admit(ClientKey("ben"), at: start)
        }
        gate.release(plain, at: start)
        #expect(throws: AdmissionError.tooManyStarts(rate: try .of("1/second"), retryAfter: .seconds(1))) {
            _ = try gate.admit(ClientKey("ben"), at: start)
        }
        var grants = try (0..<3).map { _ in try gate.admit(ann, tier: "gold", at: start) }
        #expect(grants.map(\.quotas.streams) == [2, 1, 0] && grants.map(\.quotas.starts?.remaining) == [2, 1, 0])
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 3)) {
            _ = try gate.admit(ann, tier: "gold", at: start)
        }
        gate.release(grants.removeLast(), at: start)
        let refusal = AdmissionError.tooManyStarts(rate: try .of("1/minute"), retryAfter: .seconds(60))
        #expect(throws: refusal) { _ = try gate.admit(ann, tier: "gold", at: start) }
        #expect(gate.spread(refusal, of: ann, tier: "gold", at: start) == refusal)
        #expect(gate.spread(refusal, of: ann, tier: "gold", at: start).retryAfter == .seconds(120))
        for grant in grants { gate.release(grant, at: start) }
        #expect(gate.admission.openStreams == 0)
        // The time of the Retry-After is accurate.
        _ = try gate.admit(ann, tier: "gold", at: start + .seconds(60))
    }

    @Test func theRoutesLimitCountsAllTiers() throws {
        var gate = gate(try rules())
        for name in ["a", "b"] { _ = try gate.admit(ClientKey(name), at: start) }
        for _ in 0..<2 { _ = try gate.admit(ann, tier: "gold", at: start) }
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 4)) {
            _ = try gate.admit(ann, tier: "gold", at: start)
        }
    }

    @Test func openStreamsCountWhateverTheirTierWas() throws {
        var gate = gate(try rules())
        for _ in 0..<2 { _ = try gate.admit(ann, tier: "gold", at: start) }
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) {
            _ = try gate.admit(ann, at: start + .seconds(600))
        }
        _ = try gate.admit(ann, tier: "gold", at: start + .seconds(600))
    }

    @Test func aStartOfAPlainResponseIsReturnedAtTheTiersRate() throws {
        var gate = gate(try rules())
        for _ in 0..<5 {
            var grant = try gate.admit(ann, tier: "gold", at: start)
            gate.turnedOutPlain(&grant)
            gate.release(grant, at: start)
        }
        #expect(try gate.admit(ann, tier: "gold", at: start).quotas.starts?.remaining == 2)
    }

    @Test func eachTierHasItsOwnBudget() throws {
        var gate = gate(try rules(records: true))
        /// The records that may be sent within a second.
        func drawn(_ tier: String?) throws -> Int? {
            var grant = try gate.admit(ClientKey(tier ?? ""), tier: tier, at: start), sum = 0
            while sum < 5000, let lease = gate.draw(&grant, upTo: 100, at: start) {
                guard lease.notBefore < start + .seconds(1) else { return sum }
                sum += lease.records
            }
            return sum == 0 ? nil : sum
        }
        #expect((15...20).contains(try drawn(nil) ?? 0))
        #expect((1900...2000).contains(try drawn("gold") ?? 0))
        #expect(try drawn("free") == nil)
        // A tier that the rules do not have is none.
        #expect((15...20).contains(try drawn("tin") ?? 0))
    }

    @Test func otherRulesReachOpenStreams() throws {
        var rules = try rules(records: true)
        var gate = gate(rules)
        var grant = try gate.admit(ann, tier: "gold", at: start)
        _ = gate.draw(&grant, upTo: 1, at: start)
        rules.tiers["gold"]?.clientRecords = RecordAllowance(rate: try .of("1/hour"), burst: 1)
        gate.apply(rules, upstreams: ["u"], at: start)
        _ = gate.draw(&grant, upTo: 1, at: start + .seconds(1))
        #expect(try #require(gate.draw(&grant, upTo: 1, at: start + .seconds(1))).notBefore > start + .seconds(3000))
        rules.tiers["gold"] = nil
        gate.apply(rules, upstreams: ["u"], at: start + .seconds(1))
        #expect(try #require(gate.draw(&grant, upTo: 1, at: start + .seconds(2))).notBefore < start + .seconds(3))
        gate.giveBack(1, of: grant, at: start + .seconds(2))
        rules.clientRecords = nil
        gate.apply(rules, upstreams: ["u"], at: start + .seconds(2))
        #expect(gate.draw(&grant, upTo: 1, at: start + .seconds(2)) == nil)
        gate.release(grant, at: start + .seconds(2))
    }
}
