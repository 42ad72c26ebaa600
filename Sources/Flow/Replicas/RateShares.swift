/// This replica's shares of the record rates of its clients, and which are renewed when.
///
/// A share exists from a client's first draw until it was returned after its last one, so the memory is bounded by the
/// clients with open streams.
///
/// - Complexity: O(1) amortised for each call.
package struct RateShares: Sendable {
    private struct Renewal {
        let key: StoreKey
        let due: Instant
    }

    private var shares: [StoreKey: RateShare] = [:]
    /// Shares to be renewed at once: new ones, and those of which a part is to be returned.
    private var urgent: [StoreKey] = []
    private var renewals = Ring<Renewal>()

    package init() {}

    package var knownKeys: Int { shares.count }

    /// Records a draw.
    ///
    /// - Parameters:
    ///   - records: Records drawn since the last call for the key.
    ///   - key: The client's key.
    ///   - limit: The rate over all replicas.
    ///   - isShort: Whether records wait because the share is too small.
    ///   - health: Whether the store is used.
    ///   - now: The time.
    /// - Returns: The share to apply now, in millionths of a record per second.
    package mutating func drew(
        _ records: Int, of key: StoreKey, limit: Int64, isShort: Bool, health: StoreHealth, at now: Instant
    ) -> Int64 {
        if shares[key] == nil {
            shares[key] = RateShare(limit: limit, at: now)
            urgent.append(key)
            renewals.append(Renewal(key: key, due: now + ReplicaTimes.renewal))
        }
        shares[key]?.limit = limit
        shares[key]?.drew(records, isShort: isShort)
        return applied(key, health: health, at: now)
    }

    /// The share of a key to apply now; zero if it has none.
    package mutating func applied(_ key: StoreKey, health: StoreHealth, at now: Instant) -> Int64 {
        guard let limit = shares[key]?.limit else { return 0 }
        return shares[key]?.applied(fallback: health.fallback(of: limit), isStoreUsed: health.isUp, at: now) ?? 0
    }

    /// What the store has granted of a key and others cannot have.
    package func leased(_ key: StoreKey, at now: Instant) -> Int64 { shares[key]?.leased(at: now) ?? 0 }

    /// Takes the renewals that are due, at most `limit`.
    package mutating func takeRenewals(
        upTo limit: Int, health: StoreHealth, sequence: Int64, at now: Instant
    ) -> [RateShare.Request] {
        var requests: [RateShare.Request] = []
        while requests.count < limit, let key = urgent.popLast() {
            if let request = renew(key, health, sequence, at: now) { requests.append(request) }
        }
        while requests.count < limit, let first = renewals.first, first.due <= now {
            renewals.removeFirst()
            guard shares[first.key] != nil, !requests.contains(where: { $0.key == first.key }) else {
                if shares[first.key] != nil { again(first.key, at: now) }
                continue
            }
            if let request = renew(first.key, health, sequence, at: now) {
                requests.append(request)
                again(first.key, at: now)
            } else {
                shares[first.key] = nil
            }
        }
        return requests
    }

    /// The store has answered a request with a share.
    package mutating func answered(
        _ key: StoreKey, share: Int64, isYoung: Bool, sequence: Int64, at now: Instant
    ) {
        let returns = shares[key]?.answered(share, isYoung: isYoung, sequence: sequence, at: now) ?? false
        if returns { urgent.append(key) }
    }

    /// A request was not answered.
    package mutating func unanswered(_ key: StoreKey, sequence: Int64) {
        shares[key]?.unanswered(sequence: sequence)
    }

    /// When ``takeRenewals(upTo:health:sequence:at:)`` has something; `nil` if there is nothing.
    package var deadline: Instant? { urgent.isEmpty ? renewals.first?.due : .distantPast }

    private mutating func again(_ key: StoreKey, at now: Instant) {
        renewals.append(Renewal(key: key, due: now + ReplicaTimes.renewal))
    }

    private mutating func renew(
        _ key: StoreKey, _ health: StoreHealth, _ sequence: Int64, at now: Instant
    ) -> RateShare.Request? {
        guard let limit = shares[key]?.limit else { return nil }
        return shares[key]?.renew(key, fallback: health.fallback(of: limit), sequence: sequence, at: now)
    }
}
