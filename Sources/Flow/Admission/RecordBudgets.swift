/// A record budget for each client of a route, kept from its first draw until it has its whole burst and quota again.
///
/// There are at most as many as clients that drew within the time of a burst, of a window of the quota, and of the leases
/// that wait; the sweep keeps at most half as many idle ones.
///
/// - Complexity: O(1) for each call, O(entries) for a new rate.
package struct RecordBudgets: Sendable {
    /// May be replaced while streams are open (a reload).
    package var allowance: RecordAllowance {
        didSet {
            let allowance = allowance
            budgets.updateAll { $0.apply(allowance) }
        }
    }

    private var budgets = IdleTable<ClientKey, RecordBudget>()

    package init(_ allowance: RecordAllowance) { self.allowance = allowance }

    /// Clients with an entry.
    package var knownClients: Int { budgets.count }

    /// Draws for a stream of `client`, as ``RecordBudget/draw(upTo:after:at:)``.
    package mutating func draw(
        _ client: ClientKey, upTo wanted: Int, after last: RecordBudget.Lease?, at now: Instant
    ) -> RecordBudget.Lease {
        budgets.sweep(at: now)
        return budgets[index(of: client, at: now)].draw(upTo: wanted, after: last, at: now)
    }

    /// Charges as ``RecordBudget/charge(_:at:)``.
    package mutating func charge(_ client: ClientKey, _ units: Int, at now: Instant) {
        budgets[index(of: client, at: now)].charge(units, at: now)
    }

    private mutating func index(of client: ClientKey, at now: Instant) -> Int {
        budgets.index(of: client) ?? budgets.append(RecordBudget(allowance, at: now), for: client)
    }

    /// Gives back as ``RecordBudget/giveBack(_:at:)``; a budget that was removed is full already.
    package mutating func giveBack(_ client: ClientKey, _ records: Int, at now: Instant) {
        guard let index = budgets.index(of: client) else { return }
        budgets[index].giveBack(records, at: now)
    }

    /// The refusal of a new stream of a client while the client's open streams use its whole budget.
    package func refusal(of client: ClientKey, at now: Instant) -> AdmissionError? {
        guard let index = budgets.index(of: client), budgets[index].isSpent(at: now) else { return nil }
        let wait = budgets[index].retryAfter(at: now)
        if let quota = allowance.quota, budgets[index].quotaWait(at: now) == wait {
            return .recordQuotaSpent(quota: quota, retryAfter: wait)
        }
        guard let rate = allowance.rate else { return nil }
        return .recordBudgetSpent(rate: rate, retryAfter: wait)
    }

    /// What remains of a client's allowance; of a client without an entry, everything.
    package func quotas(of client: ClientKey, at now: Instant) -> RecordQuotas {
        let budget = budgets.index(of: client).map { budgets[$0] } ?? RecordBudget(allowance, at: now)
        return budget.quotas(at: now)
    }
}
