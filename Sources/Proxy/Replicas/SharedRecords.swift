import Flow

/// One stream's part in its client's record rate over all replicas, from its start to its end.
final class SharedRecords: Sendable {
    private let key: StoreKey
    private let replicas: Replicas

    init(_ rule: SharedRecordRule, of client: ClientDigest, in replicas: Replicas, at now: Instant) {
        self.replicas = replicas
        key = StoreKey(.shares, route: rule.route, client: client)
        replicas.opened(SharedRate(key: key, rate: rule.rate), at: now)
    }

    deinit { replicas.closed(key) }

    /// Draws at a rate, which a reload may have changed since the last draw.
    ///
    /// - Parameters:
    ///   - wanted: Records that the stream has; at least 1.
    ///   - round: Of its last draw.
    ///   - rate: Of its client over all replicas.
    ///   - now: The time.
    /// - Returns: A lease, or the time of the next draw.
    func draw(upTo wanted: Int, after round: inout Int64?, at rate: Rate, _ now: Instant) -> RecordDraw {
        replicas.draw(SharedRate(key: key, rate: rate), upTo: wanted, after: &round, at: now)
    }

    func giveBack(_ unused: Int) { replicas.giveBack(unused, of: key) }

    func quotas(of rate: Rate) -> RecordQuotas { replicas.quotas(of: SharedRate(key: key, rate: rate)) }
}
