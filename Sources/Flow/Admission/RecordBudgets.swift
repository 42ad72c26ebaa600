/// A record budget for each client of a route, kept from its first draw until it has its whole burst again.
///
/// So there are at most as many as clients that drew within the last second, or within the time of one record and of
/// the leases that wait; the sweep lets half as many linger.
///
/// - Complexity: O(1) for each call, O(entries) for a new rate.
package struct RecordBudgets: Sendable {
    /// May be replaced while streams run (a reload).
    package var rate: Rate {
        didSet {
            let rate = rate
            budgets.updateAll { $0.setRate(rate) }
        }
    }

    private var budgets = IdleTable<RecordBudget>()

    package init(rate: Rate) { self.rate = rate }

    /// Clients that are remembered.
    package var knownClients: Int { budgets.count }

    /// As ``RecordBudget/draw(upTo:after:at:)``, for a stream of `client`.
    package mutating func draw(
        _ client: ClientKey, upTo wanted: Int, after last: RecordBudget.Lease?, at now: Instant
    ) -> RecordBudget.Lease {
        budgets.sweep(at: now)
        let place =
            budgets.place(of: client) ?? budgets.append(RecordBudget(rate: rate, at: now), for: client)
        return budgets[place].draw(upTo: wanted, after: last, at: now)
    }

    /// As ``RecordBudget/giveBack(_:at:)``; a budget that was forgotten is full already.
    package mutating func giveBack(_ client: ClientKey, _ records: Int, at now: Instant) {
        guard let place = budgets.place(of: client) else { return }
        budgets[place].giveBack(records, at: now)
    }

    /// What a new stream of a client is refused with, while the client's running streams use its whole budget.
    package func refusal(of client: ClientKey, at now: Instant) -> AdmissionError? {
        guard let place = budgets.place(of: client), budgets[place].isSpent(at: now) else { return nil }
        return .recordBudgetSpent(rate: rate, retryAfter: budgets[place].retryAfter(at: now))
    }
}
