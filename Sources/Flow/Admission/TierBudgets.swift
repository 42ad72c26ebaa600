/// The record budgets of a route's clients: those of clients without a tier, and of each tier.
///
/// A client that changes its tier begins with the whole budget of the other one; an open stream draws by the tier by which it
/// was admitted.
package struct TierBudgets: Sendable {
    /// Of clients without a tier; `nil` if their records are not limited.
    package private(set) var standard: RecordBudgets?
    /// By the tier's name; a tier without an entry does not limit records.
    private var tiers: [String: RecordBudgets] = [:]
    /// The names of all tiers.
    private var names: Set<String> = []

    init(_ rules: GateRules) { apply(rules) }

    /// Applies other allowances from now on.
    ///
    /// A client that has drawn from a budget that begins now may have drawn a second's worth before: no more than a burst.
    mutating func apply(_ rules: GateRules) {
        standard.apply(rules.clientRecords)
        names = Set(rules.tiers.keys)
        tiers = tiers.filter { names.contains($0.key) }
        for (name, tier) in rules.tiers { tiers[name].apply(tier.clientRecords) }
    }

    /// Draws as ``RecordBudgets/draw(_:upTo:after:at:)``; `nil` if the client's records are not limited.
    mutating func draw(
        _ client: ClientKey, of tier: String?, upTo records: Int, after last: RecordBudget.Lease?, at now: Instant
    ) -> RecordBudget.Lease? {
        if let tier, names.contains(tier) { return tiers[tier]?.draw(client, upTo: records, after: last, at: now) }
        return standard?.draw(client, upTo: records, after: last, at: now)
    }

    /// Gives back as ``RecordBudgets/giveBack(_:_:at:)``.
    mutating func giveBack(_ client: ClientKey, of tier: String?, _ records: Int, at now: Instant) {
        if let tier, names.contains(tier) {
            tiers[tier]?.giveBack(client, records, at: now)
        } else {
            standard?.giveBack(client, records, at: now)
        }
    }

    /// Charges as ``RecordBudgets/charge(_:_:at:)``.
    mutating func charge(_ client: ClientKey, of tier: String?, _ units: Int, at now: Instant) {
        if let tier, names.contains(tier) {
            tiers[tier]?.charge(client, units, at: now)
        } else {
            standard?.charge(client, units, at: now)
        }
    }

    /// The refusal of a new stream of a client whose open streams use its whole budget.
    func refusal(of client: ClientKey, in tier: String?, at now: Instant) -> AdmissionError? {
        budgets(of: tier)?.refusal(of: client, at: now)
    }

    /// What remains of a client's allowance.
    package func quotas(of client: ClientKey, in tier: String?, at now: Instant) -> RecordQuotas {
        budgets(of: tier)?.quotas(of: client, at: now) ?? RecordQuotas()
    }

    private func budgets(of tier: String?) -> RecordBudgets? {
        if let tier, names.contains(tier) { tiers[tier] } else { standard }
    }
}

extension RecordBudgets? {
    fileprivate mutating func apply(_ allowance: RecordAllowance?) {
        guard let allowance else { return self = nil }
        if self == nil { self = RecordBudgets(allowance) } else { self?.allowance = allowance }
    }
}
