import Flow
import Testing

@Suite struct RetryBudgetTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// How many retries can be had at once.
    private func left(in budget: RetryBudget, at now: Instant) -> Int {
        var budget = budget
        var count = 0
        while budget.takeRetry(at: now) { count += 1 }
        return count
    }

    private var drained: RetryBudget {
        var budget = RetryBudget()
        while budget.takeRetry(at: start) {}
        return budget
    }

    @Test func itBeginsWithABurst() { #expect(left(in: RetryBudget(), at: start) == Int(RetryBudget.most)) }

    @Test func aFifthOfTheRequestsMayBeRepeated() {
        var budget = drained
        var retries = 0
        for _ in 0..<1000 {
            budget.requestCame(at: start)
            if budget.takeRetry(at: start) { retries += 1 }
        }
        #expect((199...200).contains(retries))
    }

    @Test func aRouteWithFewRequestsHasOneASecond() {
        #expect(left(in: drained, at: start + .milliseconds(900)) == 0)
        #expect(left(in: drained, at: start + .milliseconds(1001)) == 1)
        #expect(left(in: drained, at: start + .milliseconds(3500)) == 3)
    }

    @Test func noMoreIsSavedThanABurst() {
        var budget = drained
        for _ in 0..<1000 { budget.requestCame(at: start + .seconds(1000)) }
        #expect(left(in: budget, at: start + .seconds(1000)) == Int(RetryBudget.most))
    }

    @Test func earlierTimesAddNothing() {
        #expect(left(in: drained, at: Instant(nanoseconds: 0)) == 0)
        #expect(left(in: drained, at: start) == 0)
    }
}
