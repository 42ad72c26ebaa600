/// This replica's share of a rate that holds over all replicas, leased from the store for a second.
///
/// A replica leases a share of the *rate*, never records in batches, which would make the pace bursty. The store grants
/// what the others have not leased, and reserves for each of them what a fair division gives it. A replica that gets
/// less than it has applies the smaller share first and returns the rest with its next request, so that a share grows
/// only after another has been returned or has expired: the sum is never above the limit, whichever message is lost.
///
/// What the rate brings while no replica has leased it is not lost: the store keeps it as credit, at most that of one
/// second, and grants it with a share to a replica that has too little. A replica returns its own credit with its share.
///
/// Rates are millionths of a record in a second, and credit is in millionths of a record.
///
/// Invariants (`RateShareTests`, and the simulation):
/// 1. The share applied is never above the one that the store has recorded, except the fallback.
/// 2. A share is applied for at most ``ReplicaTimes/leaseInUse`` after the request that it answers was sent.
package struct RateShare: Sendable {
    /// What a renewal asks for.
    package struct Request: Equatable, Sendable {
        package let key: StoreKey
        /// The rate over all replicas.
        package let limit: Int64
        /// The share that this replica applies until the answer.
        package let held: Int64
        /// The rate that its streams would use.
        package let demand: Int64
        /// The credit that is returned with the share.
        package let unused: Int64

        package init(key: StoreKey, limit: Int64, held: Int64, demand: Int64, unused: Int64 = 0) {
            (self.key, self.limit, self.held, self.demand, self.unused) = (key, limit, held, demand, unused)
        }
    }

    /// What the store grants to a request.
    package struct Grant: Equatable, Sendable {
        /// The share that this replica may apply.
        package let share: Int64
        /// Records that it may send in addition, once.
        package let credit: Int64

        package init(share: Int64, credit: Int64) { (self.share, self.credit) = (share, credit) }

        /// Whether it is within the limit: the credit is that of a second, or one record if that is more.
        func isPossible(for request: Request) -> Bool {
            share <= request.limit && credit <= max(1_000_000, request.limit)
        }
    }

    /// Where the applied share comes from.
    private enum Holding {
        case none
        case leased(Int64, until: Instant)
        /// The store is not used: the limit divided by the replicas.
        case fallback
    }

    /// May be replaced (a reload); shares follow with the next renewals.
    package var limit: Int64
    /// Whether the client has streams at this replica: without one the demand is zero.
    package var hasStreams = true
    private var holding = Holding.none
    /// The demand that was measured last; `nil` before the first request.
    private var demand: Int64?
    private var drawn: Int64 = 0
    private var isShort = false
    private var measuredSince: Instant
    private var pending: (sequence: Int64, sentAt: Instant, held: Int64)?

    package init(limit: Int64, at now: Instant) { (self.limit, measuredSince) = (limit, now) }

    /// Streams have drawn records.
    ///
    /// - Parameters:
    ///   - records: The number of records.
    ///   - isShort: Whether the share was too small for them.
    package mutating func drew(_ records: Int, isShort: Bool) {
        drawn += Int64(min(records, 1_000_000_000))
        self.isShort = self.isShort || isShort
    }

    /// The share to apply now.
    ///
    /// - Parameters:
    ///   - fallback: The limit divided by the replicas.
    ///   - isStoreUsed: ``StoreHealth/isUp``.
    ///   - now: The time.
    /// - Returns: Zero if the others use the whole rate, and until the store's answer to the first request.
    package mutating func applied(fallback: Int64, isStoreUsed: Bool, at now: Instant) -> Int64 {
        switch holding {
        case .leased(let share, let until) where now < until: return share
        case .fallback: return fallback
        case .leased, .none:
            holding = isStoreUsed ? .none : .fallback
            return isStoreUsed ? 0 : fallback
        }
    }

    /// When what ``applied(fallback:isStoreUsed:at:)`` has returned ends, unless it changes before.
    var end: Instant {
        switch holding {
        case .none: .distantPast
        case .leased(_, let until): until
        case .fallback: .distantFuture
        }
    }

    /// Whether a request has not been answered yet.
    var isAwaited: Bool { pending != nil }

    /// Whether this request has not been answered yet, and no later one was sent.
    func isAwaited(_ sequence: Int64) -> Bool { pending?.sequence == sequence }

    /// Whether the store has been asked for nothing so far, or was asked for nothing last.
    var demandsNothing: Bool { (demand ?? 0) == 0 }

    /// Whether this replica has nothing that the store would have to know.
    var isReturned: Bool { if case .none = holding { pending == nil } else { false } }

    /// Whether its streams would use more than this share.
    func wants(moreThan share: Int64) -> Bool { hasStreams && (demand ?? 0) > share }

    /// The part of the share that the store has granted, and that others cannot have: without the fallback.
    package func leased(at now: Instant) -> Int64 {
        if case .leased(let share, let until) = holding, now < until { share } else { 0 }
    }

    /// Begins a renewal.
    ///
    /// - Parameters:
    ///   - key: The client's key.
    ///   - unused: The credit that this replica has, to be returned if it returns its share.
    ///   - fallback: The limit divided by the replicas.
    ///   - sequence: Of the request.
    ///   - now: The time.
    /// - Returns: What to ask for; `nil` if nothing is held, asked for or wanted, so that the share may be removed.
    package mutating func renew(
        _ key: StoreKey, unused: Int64, fallback: Int64, sequence: Int64, at now: Instant
    ) -> Request? {
        let held = applied(fallback: fallback, isStoreUsed: true, at: now)
        // The store does not know what the fallback has brought.
        let returned = leased(at: now) > 0 ? unused : 0
        let demand = measuredDemand(at: now)
        // What is not used is not applied from now on, and so can be returned with this request.
        if demand == 0 { holding = .none }
        if demand == 0, held == 0, pending == nil { return nil }
        pending = (sequence, now, demand == 0 ? 0 : held)
        guard demand == 0 else { return Request(key: key, limit: limit, held: held, demand: demand) }
        return Request(key: key, limit: limit, held: 0, demand: 0, unused: returned)
    }

    /// The store has answered.
    ///
    /// - Parameters:
    ///   - share: The share that this replica may apply.
    ///   - isYoung: Whether the store has no data of the others yet: only what is held is granted.
    ///   - sequence: Of the request; only the last one's answer counts.
    ///   - now: The time.
    /// - Returns: Whether a part of the share has to be returned at once.
    package mutating func answered(_ share: Int64, isYoung: Bool, sequence: Int64, at now: Instant) -> Bool {
        guard let asked = pending, asked.sequence == sequence else { return false }
        pending = nil
        let hasLease = leased(at: now) > 0
        if isYoung, !hasLease {
            holding = .fallback
            return false
        }
        holding = .leased(share, until: asked.sentAt + ReplicaTimes.leaseInUse)
        return share < asked.held
    }

    /// The request was not answered: the share ends with its lease.
    package mutating func unanswered(sequence: Int64) {
        if pending?.sequence == sequence { pending = nil }
    }

    /// What the streams would use, measured over half a renewal or more.
    ///
    /// A request that follows an answer at once, to return a part of the share, has nothing new to measure.
    private mutating func measuredDemand(at now: Instant) -> Int64 {
        guard hasStreams else {
            demand = nil
            return 0
        }
        if let demand, now - measuredSince < ReplicaTimes.renewal / 2 {
            let known = isShort ? limit : demand
            self.demand = known
            return known
        }
        let measured = currentDemand(at: now)
        (demand, drawn, isShort, measuredSince) = (measured, 0, false, now)
        return measured
    }

    /// Everything if the share was too small, twice what the streams drew if not, so that they can grow; zero without a
    /// draw.
    private func currentDemand(at now: Instant) -> Int64 {
        guard !isShort else { return limit }
        let elapsed = max(1_000_000, (now - measuredSince).nanoseconds)
        let (scaled, overflow) = (2 * drawn).multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return limit }
        let rate = Double(scaled) * 1e9 / Double(elapsed)
        return rate >= Double(limit) ? limit : Int64(rate)
    }
}
