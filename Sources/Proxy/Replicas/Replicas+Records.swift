import Flow

// Record rates over all replicas: the lock is taken for each lease of about 16 ms, and the store is asked by the timer.

extension Replicas {
    /// A stream begins whose client has this rate.
    func opened(_ budget: SharedRate, at now: Instant) { withLimits { $0.opened(budget, at: now) } }

    /// Such a stream has ended.
    func closed(_ key: StoreKey) {
        withLimits { $0.closed(key) }
        advance()
    }

    /// Draws records for such a stream (``RateShares``).
    func draw(_ budget: SharedRate, upTo wanted: Int, after round: inout Int64?, at now: Instant) -> RecordDraw {
        let previous = round
        let (draw, last) = withLimits { limits in
            var round = previous
            return (limits.draw(budget, upTo: wanted, after: &round, at: now), round)
        }
        round = last
        advance()
        return draw
    }

    /// Returns records that were drawn and will not be used.
    func giveBack(_ records: Int, of key: StoreKey) { withLimits { $0.giveBack(records, of: key) } }

    /// What remains of a client's rate at this replica.
    func quotas(of budget: SharedRate) -> RecordQuotas { withLimits { $0.quotas(of: budget) } }
}
