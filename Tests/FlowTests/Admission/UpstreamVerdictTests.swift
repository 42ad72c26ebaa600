import Flow
import Testing

@Suite struct UpstreamVerdictTests {
    private func verdict(
        _ outcome: Outcome, status: Int? = 200, isSilent: Bool = false, records: Int = 0
    ) -> UpstreamVerdict {
        UpstreamVerdict(
            .init(outcome: outcome, status: status, hasUpstreamFallenSilent: isSilent, records: records),
            probeRecords: 10)
    }

    @Test func noConnectionAResetAndAMalformedAnswerAreFailures() {
        #expect(verdict(.upstreamFailed, status: nil) == .failed)
        #expect(verdict(.upstreamFailed, records: 1000) == .failed)
    }

    @Test func aTimeoutIsAFailureWhenItIsTheUpstreamsOwn() {
        #expect(verdict(.upstreamTimeout, status: nil, isSilent: true) == .failed)
        #expect(verdict(.upstreamTimeout, isSilent: true, records: 1000) == .failed)
        #expect(verdict(.upstreamTimeout) == .neither)
        #expect(verdict(.upstreamTimeout, records: 1000) == .succeeded)
    }

    @Test(arguments: [500, 502, 503, 504, 599])
    func aServersErrorIsAFailureHoweverItEnds(status: Int) {
        for outcome in Outcome.allCases { #expect(verdict(outcome, status: status, records: 100) == .failed) }
    }

    @Test(arguments: [200, 204, 301, 404, 429, 499, 501, 505, 600])
    func anAnswerThatIsNotIsASuccessWhenItIsComplete(status: Int) {
        #expect(verdict(.completed, status: status) == .succeeded)
    }

    @Test(arguments: [Outcome.clientGone, .slowConsumer, .cancelled, .drained, .refused])
    func whatIsNotTheUpstreamsDoingIsJudgedByTheRecordsThatCame(outcome: Outcome) {
        #expect(verdict(outcome, status: nil) == .neither)
        #expect(verdict(outcome, records: 9) == .neither)
        #expect(verdict(outcome, records: 10) == .succeeded)
    }

    @Test func withoutProbeRecordsAStreamMustStillHaveDeliveredOne() {
        #expect(UpstreamVerdict(.init(outcome: .clientGone, status: 200), probeRecords: 0) == .neither)
        #expect(UpstreamVerdict(.init(outcome: .clientGone, status: 200, records: 1), probeRecords: 0) == .succeeded)
    }
}
