import Flow

/// The rate of each client that no replica has leased, computed a second time: the credit that the store may grant.
struct CreditLedger {
    private struct Account {
        /// Millionths of a record.
        var credit: Double
        var at: Int64
    }

    private var accounts: [StoreKey: Account] = [:]

    /// Adds what the rate has brought beyond these shares, which have not changed since the last call.
    ///
    /// A share that has expired since then is not among them, so that the result is too large rather than too small.
    mutating func fill(_ request: RateShare.Request, leased: Int64, at now: Int64) {
        // A second of the rate, or a record, and one for the share of each of two replicas that is below a record.
        let most = Double(request.limit) + 2e6
        var account = accounts[request.key] ?? Account(credit: most, at: now)
        let seconds = Double(max(0, now - account.at)) / 1e6
        account.credit = min(most, account.credit + max(0, Double(request.limit - leased)) * seconds)
        account.at = now
        accounts[request.key] = account
    }

    /// The store has granted credit to a request, and has taken back what it returns.
    ///
    /// - Returns: What is wrong with it; `nil` if nothing is.
    mutating func granted(_ credit: Int64, _ request: RateShare.Request) -> String? {
        guard var account = accounts[request.key] else { return "credit without a request" }
        account.credit += Double(request.unused - credit)
        accounts[request.key] = account
        // Rounding, of each call.
        return account.credit < -1000 ? "more credit than the rate that was not leased" : nil
    }
}
