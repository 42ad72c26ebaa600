import Flow

/// What the store has granted, computed a second time by other arithmetic: a bucket of credit for each client.
struct Ledger {
    private struct Account {
        var credit: Int64
        var at: Int64
    }

    private let spacing: Int64
    private let capacity: Int64
    private var accounts: [Int: Account] = [:]

    init(_ allowance: StartAllowance) {
        spacing = allowance.rate.spacing / 1000
        capacity = spacing * Int64(allowance.burst)
    }

    /// The store has lost its data.
    mutating func clear() { accounts = [:] }

    /// The store has decided about a start.
    ///
    /// - Returns: What is wrong with it; `nil` if nothing is.
    mutating func decided(
        admitted: Bool, byRate: Bool, client: Int, at now: Int64
    ) -> String? {
        var account = accounts[client] ?? Account(credit: capacity, at: now)
        account.credit = min(capacity, account.credit + now - account.at)
        account.at = now
        defer { accounts[client] = account }
        guard admitted else {
            // A spacing that is no whole number of microseconds is rounded up in the store, and down here.
            let hasCredit = account.credit >= spacing + 1000
            return byRate && hasCredit ? "a start was refused although the rate allows it" : nil
        }
        account.credit -= spacing
        return account.credit < 0 ? "more starts than rate and burst" : nil
    }

    /// A start was taken back.
    mutating func refunded(_ client: Int) {
        accounts[client]?.credit += spacing
    }
}
