import Flow
import Observability
import Testing

@Suite struct RouteTallyTests {
    private let began = Instant(nanoseconds: 7)

    @Test func everyCountOfTwoLoopsIsJoined() {
        var first = RouteTally()
        first.active = 1
        first.records = 2
        first.bytes = 3
        first.units = 17
        first.running.units = 18
        first.ended(.upstreamFailed, isStream: false, from: began, to: began + .seconds(2))
        first.refused(.unavailable, status: 503, bytes: ByteCount(15))
        first.times.ended(isStream: true, from: began, to: began + .seconds(3))
        first.times.firstRecordSent(from: began, to: began + .seconds(4))
        first.times.headSent(from: began, to: began + .seconds(5))
        first.times.pacedRecordSent(due: began, at: began + .seconds(6))
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
        first.running.idleConnections = 16
        first.running.paused = .seconds(14)
        var joined = first
        joined += first
        #expect((joined.active, joined.records, joined.bytes) == (2, 4, 36))
        #expect((joined.units, joined.running.units) == (34, 36))
        #expect((joined.outcomes[.upstreamFailed], joined.outcomes[.refused], joined.faults) == (2, 2, 4))
        #expect((joined.times.requests.sum, joined.times.streams.sum) == (.seconds(4), .seconds(6)))
        #expect((joined.times.firstRecords.sum, joined.times.firstBytes.sum) == (.seconds(8), .seconds(10)))
        #expect((joined.times.lateness.sum, joined.responses.counts.reduce(0, +)) == (.seconds(12), 2))
        #expect(joined.refusals[.unavailable] == 2)
        #expect((joined.failed[.dropped], joined.disconnects[.gone], joined.pauses[.client]) == (8, 10, 12))
        #expect((joined.paused, joined.running.paused) == (.seconds(14), .seconds(28)))
        #expect((joined.running.records, joined.running.bytes) == (16, 18))
        #expect((joined.running.recordCapacity, joined.running.byteCapacity) == (20, 22))
        #expect((joined.running.transfers, joined.running.dropped) == (24, 26))
        #expect(joined.running.idleConnections == 32)
        #expect(joined.outcomes.total == 4)
    }

    @Test func noSumOfUnitsOverflows() {
        var tally = RouteTally()
        (tally.units, tally.running.units) = (.max - 1, .max - 2)
        #expect(tally.allUnits == .max)
        var joined = tally
        joined += tally
        #expect((joined.units, joined.running.units) == (.max, .max))
    }

    @Test(arguments: Outcome.allCases)
    func onlyWhatIsTheUpstreamsDoingIsAFault(_ outcome: Outcome) {
        var tally = RouteTally()
        tally.ended(outcome, isStream: true, from: began, to: began)
        #expect((tally.faults == 1) == (outcome == .upstreamFailed || outcome == .upstreamTimeout))
    }

    @Test(arguments: Problem.Kind.allCases)
    func ofRefusalsOnlyThoseForLackOfServiceAreFaults(_ kind: Problem.Kind) {
        var tally = RouteTally()
        tally.refused(kind, status: 429, bytes: .zero)
        #expect((tally.faults == 1) == (kind == .unavailable))
        #expect(tally.times.requests.count == 0)
    }
}
