import Flow
import TestSupport
import Testing

@Suite struct RecordBudgetsTests {
    private let ann = ClientKey("ann"), ben = ClientKey("ben")

    /// Draws until the client has nothing left.
    private func spend(_ client: ClientKey, _ budgets: inout RecordBudgets, at now: Instant) {
        var last: RecordBudget.Lease?
        while budgets.refusal(of: client, at: now) == nil {
            last = budgets.draw(client, upTo: .max, after: last, at: now)
        }
    }

    @Test func aNewStreamIsRefusedWhileTheClientsOthersUseItAll() throws {
        let rate = try Rate.of("1000/second")
        var budgets = RecordBudgets(RecordAllowance(rate: rate))
        #expect(budgets.refusal(of: ann, at: .seconds(0)) == nil)
        spend(ann, &budgets, at: .seconds(0))
        let refusal = try #require(budgets.refusal(of: ann, at: .seconds(0)))
        #expect(refusal == .recordBudgetSpent(rate: rate, retryAfter: refusal.retryAfter))
        #expect((.zero ... .milliseconds(20)).contains(refusal.retryAfter))
        #expect(budgets.refusal(of: ann, at: .seconds(0) + refusal.retryAfter) == nil)
    }

    @Test func oneClientsRecordsAreNotAnothers() throws {
        var budgets = RecordBudgets(RecordAllowance(rate: try .of("10/second")))
        spend(ann, &budgets, at: .seconds(0))
        #expect(budgets.refusal(of: ben, at: .seconds(0)) == nil)
        #expect(budgets.draw(ben, upTo: 1, after: nil, at: .seconds(0)).notBefore <= .seconds(0))
    }

    @Test func whatIsGivenBackIsTheClients() throws {
        var budgets = RecordBudgets(RecordAllowance(rate: try .of("1/hour")))
        let lease = budgets.draw(ann, upTo: 1, after: nil, at: .seconds(0))
        #expect(budgets.refusal(of: ann, at: .seconds(0)) != nil)
        budgets.giveBack(ben, 1, at: .seconds(0))
        #expect(budgets.refusal(of: ann, at: .seconds(0)) != nil)
        budgets.giveBack(ann, lease.records, at: .seconds(0))
        #expect(budgets.refusal(of: ann, at: .seconds(0)) == nil)
    }

    @Test func aNewRateReachesEveryBudget() throws {
        var budgets = RecordBudgets(RecordAllowance(rate: try .of("1000/second")))
        spend(ann, &budgets, at: .seconds(0))
        budgets.allowance = RecordAllowance(rate: try .of("1/second"))
        let first = budgets.draw(ann, upTo: 1, after: nil, at: .seconds(0))
        let second = budgets.draw(ann, upTo: 1, after: first, at: .seconds(0))
        #expect(second.notBefore - first.notBefore == .seconds(1))
    }

    @Test func clientsAreForgottenWhenTheyHaveTheirWholeBurstAgain() throws {
        var budgets = RecordBudgets(RecordAllowance(rate: try .of("10/second")))
        var most = 0
        for number in 0..<100_000 {
            let now = Instant.seconds(Double(number) / 1000)
            _ = budgets.draw(ClientKey("\(number)"), upTo: 1, after: nil, at: now)
            most = max(most, budgets.knownClients)
        }
        // One record of ten a second is made up for in 100 ms, in which 100 others come.
        #expect((100...200).contains(most))
    }

    @Test func aSpentQuotaIsTheRefusalAndItsTimeIsExact() throws {
        let quota = RecordQuota(records: 5, per: .day)
        var budgets = RecordBudgets(RecordAllowance(rate: try .of("1000/second"), quota: quota))
        let lease = budgets.draw(ann, upTo: 5, after: nil, at: .seconds(0))
        #expect(lease.records == 5)
        #expect(
            budgets.refusal(of: ann, at: .seconds(60))
                == .recordQuotaSpent(quota: quota, retryAfter: .seconds(86_340)))
        #expect(budgets.refusal(of: ann, at: .seconds(86_400)) == nil)
        #expect(budgets.refusal(of: ben, at: .seconds(60)) == nil)
        #expect(budgets.quotas(of: ann, at: .seconds(60)).quota?.remaining == 0)
        #expect(budgets.quotas(of: ben, at: .seconds(60)).quota?.remaining == 5)
    }
}
