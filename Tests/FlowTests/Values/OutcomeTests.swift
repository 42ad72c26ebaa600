import Flow
import Testing

@Suite struct OutcomeTests {
    @Test func hasTheReasonsOfTheContract() {
        #expect(
            Outcome.allCases.map(\.rawValue) == [
                "completed", "client_gone", "slow_consumer", "upstream_failed", "upstream_timeout", "cancelled",
                "drained", "refused",
            ])
    }
}
