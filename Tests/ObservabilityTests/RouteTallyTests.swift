import Flow
import Observability
import Testing

@Suite struct RouteTallyTests {
    @Test func everyCountOfTwoLoopsIsJoined() {
        var first = RouteTally()
        first.active = 1
        first.records = 2
        first.bytes = 3
        first.ended(.upstreamFailed, lasted: .seconds(2))
        first.refused(.unavailable, bytes: ByteCount(15))
        first.failed[.dropped] = 4
        first.disconnects[.gone] = 5
        first.pauses[.client] = 6
        first.paused = .seconds(7)
        first.running.records = 8
        first.running.bytes = 9
        first.running.recordCapacity = 10
        first.running.byteCapacity = 11
        first.running.transfers = 12
        first.running.dropped = 13
        first.running.paused = .seconds(14)
        var joined = first
        joined += first
        #expect((joined.active, joined.records, joined.bytes) == (2, 4, 36))
        #expect((joined.outcomes[.upstreamFailed], joined.outcomes[.refused], joined.faults) == (2, 2, 4))
        #expect((joined.durations.count, joined.refusals[.unavailable]) == (2, 2))
        #expect((joined.failed[.dropped], joined.disconnects[.gone], joined.pauses[.client]) == (8, 10, 12))
        #expect((joined.paused, joined.running.paused) == (.seconds(14), .seconds(28)))
        #expect((joined.running.records, joined.running.bytes) == (16, 18))
        #expect((joined.running.recordCapacity, joined.running.byteCapacity) == (20, 22))
        #expect((joined.running.transfers, joined.running.dropped) == (24, 26))
        #expect(joined.outcomes.total == 4)
    }

    @Test(arguments: Outcome.allCases)
    func onlyWhatIsTheUpstreamsDoingIsAFault(_ outcome: Outcome) {
        var tally = RouteTally()
        tally.ended(outcome, lasted: .zero)
        #expect((tally.faults == 1) == (outcome == .upstreamFailed || outcome == .upstreamTimeout))
    }

    @Test(arguments: Problem.Kind.allCases)
    func ofRefusalsOnlyThoseForLackOfServiceAreFaults(_ kind: Problem.Kind) {
        var tally = RouteTally()
        tally.refused(kind, bytes: .zero)
        #expect((tally.faults == 1) == (kind == .unavailable))
        #expect(tally.durations.count == 0)
    }
}
