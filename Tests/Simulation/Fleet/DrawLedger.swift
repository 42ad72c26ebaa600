/// The records that each client has drawn at all replicas together, while all of them are as well as can be.
struct DrawTotal {
    private var since: Int64?
    private var records: [Int]

    init(clients: Int) { records = Array(repeating: 0, count: clients) }

    mutating func begin(at now: Int64) { since = now }

    mutating func drew(_ count: Int, of client: Int) {
        if since != nil { records[client] += count }
    }

    /// - Parameters:
    ///   - limit: In millionths of a record per second.
    ///   - now: The end of the time.
    /// - Returns: What is wrong; `nil` if nothing is.
    func check(limit: Int64, at now: Int64) -> String? {
        guard let since else { return "nothing was counted" }
        let seconds = Double(now - since) / 1e9, perSecond = Double(limit) / 1e6
        for (client, count) in records.enumerated() {
            // Up to half a second was not drawn at the begin, and is not at the end.
            if Double(count) > (seconds + 0.5) * perSecond + 8 { return "client \(client) got more than its rate" }
            if Double(count) < (seconds - 0.5) * perSecond * 0.95 - 8 {
                return "client \(client) got less than its rate"
            }
        }
        return nil
    }
}

/// What the shares of one process have brought its clients, computed a second time: the integral of what it has applied.
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
