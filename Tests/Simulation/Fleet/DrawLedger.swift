/// The records that each client has drawn at all replicas together, while all of them are as well as can be.
struct DrawTotal {
    private struct Account {
        var records = 0
        /// Of a bucket of the whole rate, in records.
        var credit: Double
        var at: Int64
    }

    private static let moving: Int64 = 3_000_000_000
    /// From the beginning to the end.
    static let time = moving + 1_000_000_000

    private var since: Int64?
    private var accounts: [Account?]

    init(clients: Int) { accounts = Array(repeating: nil, count: clients) }

    mutating func begin(at now: Int64) { since = now }

    /// Whether streams move.
    ///
    /// They stay in the last second, so that a client gets the credit of the time without its streams.
    func streamsMove(at now: Int64) -> Bool { since.map { now - $0 < Self.moving } ?? false }

    /// A client has drawn records at any replica.
    ///
    /// - Parameters:
    ///   - count: The records.
    ///   - client: The client.
    ///   - limit: In millionths of a record per second.
    ///   - replicas: Each may keep one record, if its share is below that.
    ///   - now: The time.
    /// - Returns: What is wrong with it; `nil` if nothing is.
    mutating func drew(_ count: Int, of client: Int, limit: Int64, replicas: Int, at now: Int64) -> String? {
        guard let since else { return nil }
        // Clocks deviate by a five-hundredth, and a lease may begin 40 ms after its draw.
        let perSecond = Double(limit) / 1e6 * 1.003, most = perSecond * 1.04 + Double(replicas + 1)
        var account = accounts[client] ?? Account(credit: most, at: since)
        account.credit = min(most, account.credit + perSecond * Double(now - account.at) / 1e9) - Double(count)
        account.at = now
        account.records += count
        accounts[client] = account
        return account.credit < 0 ? "client \(client) got more than its rate and the records of a second" : nil
    }

    /// - Parameters:
    ///   - limit: In millionths of a record per second.
    ///   - now: The end of the time.
    /// - Returns: What is wrong; `nil` if nothing is.
    func check(limit: Int64, at now: Int64) -> String? {
        guard let since else { return "nothing was counted" }
        let seconds = Double(now - since) / 1e9, perSecond = Double(limit) / 1e6
        for (client, account) in accounts.enumerated() {
            // Draws are up to 0.32 s apart, a part of the rate may not be leased for 0.4 s, and a record of each replica is not
            // due yet.
            if Double(account?.records ?? 0) < (seconds - 0.8) * perSecond * 0.98 - 8 {
                return "client \(client) got less than its rate"
            }
        }
        return nil
    }
}

/// What the shares of one process have brought its clients, computed a second time: the integral of what it has applied, and
/// the credit.
struct DrawLedger {
    private struct Account {
        /// Millionths of a record.
        var brought = 0.0
        var drawn = 0.0
        var share = 0.0
        var largest = 0.0
        var at: Int64
    }

    private var accounts: [Account?]

    init(clients: Int) { accounts = Array(repeating: nil, count: clients) }

    /// A replica applies this share; between two calls the larger one counts, because a share may end meanwhile.
    mutating func applied(_ share: Int64, of client: Int, at now: Int64) {
        var account = accounts[client] ?? Account(at: now)
        account.brought += max(account.share, Double(share)) * Double(now - account.at) / 1e9
        (account.share, account.at) = (Double(share), now)
        account.largest = max(account.largest, account.share)
        accounts[client] = account
    }

    /// Credit was granted; less than zero: was returned.
    mutating func credited(_ credit: Int64, of client: Int) { accounts[client]?.brought += Double(credit) }

    /// A stream has drawn records.
    ///
    /// - Returns: What is wrong with it; `nil` if nothing is.
    mutating func drew(_ records: Int, of client: Int) -> String? {
        guard var account = accounts[client] else { return "records were drawn without a share" }
        account.drawn += Double(records) * 1e6
        accounts[client] = account
        // A lease may begin 40 ms after its draw, and has one record at least; clocks deviate by a five-hundredth.
        let most = account.brought * 1.003 + 0.04 * account.largest + 1.1e6
        return account.drawn > most ? "more records than the shares have brought" : nil
    }
}
