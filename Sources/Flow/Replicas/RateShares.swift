/// This replica's shares of the record rates of its clients, the budgets that they fill, and which are renewed when.
///
/// There is one for each client with an open stream, and for a renewal after its last one.
///
/// Invariants (`RateSharesTests`, and the simulation):
/// 1. A share without streams is returned with the next commands, and removed at the latest with the next renewal.
/// 2. Each share that is used is renewed once in each renewal time, and one that is much too small again soon.
/// 3. While the store is not used, nothing grows but the entries of clients with streams.
///
/// - Complexity: O(1) amortised for each call.
package struct RateShares: Sendable {
    private struct Entry {
        var share: RateShare
        var budget: ShareBudget
        var streams = 0
        /// Whether `urgent` has the key.
        var isUrgent = false
        /// The times of its renewals in `renewals` and in `early`; what these contain for other times is void.
        var renewal: Instant?
        var earlyRenewal: Instant?

        /// The budget fills at the share that is applied now, which is returned.
        @discardableResult
        mutating func follow(_ health: StoreHealth, at now: Instant) -> Int64 {
            let applied = share.applied(fallback: health.fallback(of: share.limit), isStoreUsed: health.isUp, at: now)
            budget.follow(applied, until: share.end, at: now)
            return applied
        }
    }

    private struct Renewal {
        let key: StoreKey
        let due: Instant
    }

    private var entries: [StoreKey: Entry] = [:]
    /// Shares to be renewed at once: those that are needed and not leased, and those of which a part is to be returned.
    private var urgent: [StoreKey] = []
    private var renewals = Ring<Renewal>()
    /// Of shares that are much too small: others return theirs meanwhile.
    private var early = Ring<Renewal>()
    /// The records that were granted as credit so far.
    package private(set) var credited = 0.0

    package init() {}

    package var knownKeys: Int { entries.count }

    // MARK: Streams

    /// A stream of the client may draw until ``closed(_:isStoreUsed:)``.
    package mutating func opened(_ key: StoreKey, limit: Int64, at now: Instant) {
        entries[key, default: Entry(share: RateShare(limit: limit, at: now), budget: ShareBudget(at: now))].streams += 1
        entries[key]?.share.hasStreams = true
    }

    /// A stream has ended.
    ///
    /// - Parameters:
    ///   - key: The client's key.
    ///   - isStoreUsed: ``StoreHealth/isUp``.
    package mutating func closed(_ key: StoreKey, isStoreUsed: Bool) {
        precondition(entries[key].map { $0.streams > 0 } ?? false, "the end of a stream that was not opened")
        entries[key]?.streams -= 1
        guard entries[key]?.streams == 0 else { return }
        entries[key]?.share.hasStreams = false
        if isStoreUsed, entries[key]?.share.isReturned == false {
            makeUrgent(key)
        } else {
            entries[key] = nil
        }
    }

    // MARK: Draws

    /// Draws records for a stream.
    ///
    /// - Parameters:
    ///   - key: The client's key, of an open stream.
    ///   - wanted: Records that the stream has; at least 1.
    ///   - round: Of the stream's last draw, as for ``ShareBudget``.
    ///   - limit: The rate over all replicas, in millionths of a record per second.
    ///   - health: Whether the store is used.
    ///   - now: The time.
    /// - Returns: A lease, or the time of the next draw.
    package mutating func draw(
        _ key: StoreKey, upTo wanted: Int, after round: inout Int64?, limit: Int64, health: StoreHealth, at now: Instant
    ) -> RecordDraw {
        guard var entry = entries[key] else { preconditionFailure("a draw without an open stream") }
        entry.share.limit = limit
        entry.follow(health, at: now)
        let isNew = entry.renewal == nil && health.isUp
        // A share that was returned, because the last stream had ended or drew nothing, is needed again.
        let mustAsk = isNew || (health.isUp && entry.budget.share == 0 && entry.share.demandsNothing)
        let isAwaited = mustAsk || entry.isUrgent || entry.share.isAwaited
        let pause = Duration.milliseconds(isAwaited ? 4 : 25)
        let draw = entry.budget.draw(upTo: wanted, after: &round, pauseWithoutShare: pause, at: now)
        switch draw {
        case .lease(let records, let time): entry.share.drew(records, isShort: time > now)
        case .later: entry.share.drew(0, isShort: true)
        }
        if isNew {
            entry.renewal = now + ReplicaTimes.renewal
            renewals.append(Renewal(key: key, due: now + ReplicaTimes.renewal))
        }
        entries[key] = entry
        if mustAsk { makeUrgent(key) }
        return draw
    }

    /// Records of a lease that are not used, because its stream ends.
    package mutating func giveBack(_ records: Int, of key: StoreKey) { entries[key]?.budget.giveBack(records) }

    /// The share of a key to apply now; zero if it has none.
    package mutating func applied(_ key: StoreKey, health: StoreHealth, at now: Instant) -> Int64 {
        entries[key]?.follow(health, at: now) ?? 0
    }

    /// What the store has granted of a key and others cannot have.
    package func leased(_ key: StoreKey, at now: Instant) -> Int64 { entries[key]?.share.leased(at: now) ?? 0 }

    /// Records that a client may get at this replica at once; `nil` if it does not draw here.
    func remaining(_ key: StoreKey) -> Int64? { entries[key].flatMap { $0.renewal == nil ? nil : $0.budget.remaining } }

    // MARK: Renewals

    /// Takes the renewals that are due, at most `limit`.
    package mutating func takeRenewals(
        upTo limit: Int, health: StoreHealth, sequence: Int64, at now: Instant
    ) -> [RateShare.Request] {
        var requests: [RateShare.Request] = []
        while requests.count < limit, let key = urgent.popLast() {
            guard entries[key]?.isUrgent == true else { continue }
            entries[key]?.isUrgent = false
            if let request = renew(key, health, sequence, at: now) { requests.append(request) }
        }
        while requests.count < limit, let first = early.first, first.due <= now {
            early.removeFirst()
            guard entries[first.key]?.earlyRenewal == first.due else { continue }
            entries[first.key]?.earlyRenewal = nil
            if requests.contains(where: { $0.key == first.key }) { continue }
            if let request = renew(first.key, health, sequence, at: now) { requests.append(request) }
        }
        while requests.count < limit, let first = renewals.first, first.due <= now {
            renewals.removeFirst()
            guard entries[first.key]?.renewal == first.due else { continue }
            if let request = regularRenewal(first.key, health, sequence, in: requests, at: now) {
                requests.append(request)
            }
        }
        return requests
    }

    /// The request of a renewal whose time has come, and the next one's time.
    private mutating func regularRenewal(
        _ key: StoreKey, _ health: StoreHealth, _ sequence: Int64, in requests: [RateShare.Request], at now: Instant
    ) -> RateShare.Request? {
        var request: RateShare.Request?
        if !requests.contains(where: { $0.key == key }) {
            request = renew(key, health, sequence, at: now)
            guard request != nil else {
                entries[key]?.renewal = nil
                removeUnused(key)
                return nil
            }
        }
        entries[key]?.renewal = now + ReplicaTimes.renewal
        renewals.append(Renewal(key: key, due: now + ReplicaTimes.renewal))
        return request
    }

    /// The store has answered a request.
    package mutating func answered(
        _ key: StoreKey, _ grant: RateShare.Grant, isYoung: Bool, sequence: Int64, health: StoreHealth, at now: Instant
    ) {
        guard var entry = entries[key] else { return }
        entry.follow(health, at: now)
        let isCurrent = entry.share.isAwaited(sequence)
        let returns = entry.share.answered(grant.share, isYoung: isYoung, sequence: sequence, at: now)
        entry.follow(health, at: now)
        if isCurrent {
            entry.budget.grant(grant.credit)
            credited += Double(grant.credit) / 1e6
        }
        let equalPart = health.equalPart(of: entry.share.limit)
        let isMuchTooSmall =
            2 * entry.budget.share < equalPart && entry.share.wants(moreThan: entry.budget.share)
        if isMuchTooSmall, entry.earlyRenewal == nil {
            let due = now + ReplicaTimes.earlyRenewal
            entry.earlyRenewal = due
            early.append(Renewal(key: key, due: due))
        }
        entries[key] = entry
        if returns { makeUrgent(key) }
        removeUnused(key)
    }

    /// A request was not answered.
    package mutating func unanswered(_ key: StoreKey, sequence: Int64) {
        entries[key]?.share.unanswered(sequence: sequence)
        removeUnused(key)
    }

    /// When ``takeRenewals(upTo:health:sequence:at:)`` has something; `nil` if there is nothing.
    package var deadline: Instant? {
        guard urgent.isEmpty else { return .distantPast }
        guard let renewal = renewals.first?.due else { return early.first?.due }
        return min(renewal, early.first?.due ?? renewal)
    }

    private mutating func makeUrgent(_ key: StoreKey) {
        guard entries[key]?.isUrgent == false else { return }
        entries[key]?.isUrgent = true
        urgent.append(key)
    }

    /// Removes a share without streams, unless its renewal or the answer of the store does so later.
    private mutating func removeUnused(_ key: StoreKey) {
        guard let entry = entries[key], entry.streams == 0, entry.renewal == nil else { return }
        if !entry.isUrgent, !entry.share.isAwaited { entries[key] = nil }
    }

    private mutating func renew(
        _ key: StoreKey, _ health: StoreHealth, _ sequence: Int64, at now: Instant
    ) -> RateShare.Request? {
        guard var entry = entries[key] else { return nil }
        entry.follow(health, at: now)
        let request = entry.share.renew(
            key, unused: entry.budget.unused, fallback: health.fallback(of: entry.share.limit), sequence: sequence,
            at: now)
        // What the request returns is not applied any more.
        entry.follow(health, at: now)
        entries[key] = entry
        if request == nil { removeUnused(key) }
        return request
    }
}
