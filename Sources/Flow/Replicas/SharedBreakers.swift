/// The breakers of clients that this replica and the others have opened.
///
/// A replica that opens a breaker has the store keep it until the end of its cooldown, and announce it. The others keep the
/// announcement until the client next starts a stream there, and then open their own breaker of the client until the same
/// time. What follows, the probes and the close, each replica decides alone: a failed probe opens the breaker again, for all.
///
/// A replica that has missed announcements has the store repeat them (``hasSubscribed()``); one whose own were lost with the
/// store's data writes them again.
///
/// Invariants (`SharedBreakersTests`, and the simulation):
/// 1. An opening is applied once at each replica, however often it is announced.
/// 2. Nothing is kept for longer than ``memory`` after the end of a cooldown, and at most ``capacity`` openings of each kind.
/// 3. While the store is not used, at most twice as many keys wait for it.
package struct SharedBreakers: Sendable {
    package static let capacity = 4096
    /// A client that comes later than that after its cooldown gets no probe, but an ordinary start.
    static let memory = Duration.seconds(600)

    /// By how much the end of an opening may change on its way; cooldowns last a second at least.
    private static let tolerance = Duration.milliseconds(900)

    /// An opening of this replica, as the store gets it.
    package struct Opening: Equatable, Sendable {
        package let key: BreakerKey
        /// The time until the breaker is half-open.
        package let remaining: Duration

        package init(key: BreakerKey, remaining: Duration) { (self.key, self.remaining) = (key, remaining) }
    }

    private struct Own: Idling {
        var end: Instant
        var isSent = false

        func isIdle(at now: Instant) -> Bool { now >= end }
    }

    private struct Other: Idling {
        /// On the store's clock: the identity of the opening.
        var storeEnd: Int64
        var end: Instant
        var isTaken = false

        func isIdle(at now: Instant) -> Bool { now >= (isTaken ? end : end + SharedBreakers.memory) }
    }

    private var own = IdleTable<BreakerKey, Own>()
    private var others = IdleTable<BreakerKey, Other>()
    /// Own openings that the store has not got, perhaps with some that have ended since, or are there twice.
    private var unsent: [BreakerKey] = []
    /// Whether the store has to repeat its announcements.
    private var mustRepeat = false

    package init() {}

    package var knownKeys: Int { own.count + others.count }
    package var waitingKeys: Int { unsent.count }

    // MARK: Own openings

    /// A breaker of this replica has opened, for that long.
    package mutating func opened(_ key: BreakerKey, for time: Duration, at now: Instant) {
        own.sweep(at: now)
        let end = now + min(time, BreakerNotice.longest)
        if let index = own.index(of: key) {
            // A shorter one, after an operator's reset, does not end what the store keeps and the others know.
            own[index] = Own(end: max(end, own[index].end))
        } else {
            guard own.count < Self.capacity else { return }
            _ = own.append(Own(end: end), for: key)
        }
        wait(for: key)
    }

    private mutating func wait(for key: BreakerKey) {
        if unsent.count >= 2 * Self.capacity { unsent = own.members.filter { !$0.value.isSent }.map(\.key) }
        unsent.append(key)
    }

    /// Takes the openings that the store has to get, at most `limit`.
    mutating func takeOpenings(upTo limit: Int, at now: Instant) -> [Opening] {
        var openings: [Opening] = []
        while openings.count < limit, let key = unsent.popLast() {
            guard let index = own.index(of: key), !own[index].isSent, own[index].end > now else { continue }
            own[index].isSent = true
            openings.append(Opening(key: key, remaining: own[index].end - now))
        }
        return openings
    }

    /// The store may not have got them.
    mutating func areUnknown(_ openings: [Opening]) { for opening in openings { isUnknown(opening.key) } }

    /// The store may have lost everything.
    mutating func allUnknown() { for (key, _) in Array(own.members) { isUnknown(key) } }

    private mutating func isUnknown(_ key: BreakerKey) {
        guard let index = own.index(of: key), own[index].isSent else { return }
        own[index].isSent = false
        wait(for: key)
    }

    // MARK: Openings of others

    /// Announcements arrive from now on: those before were missed.
    package mutating func hasSubscribed() { mustRepeat = true }

    /// Whether the store has to repeat its announcements now.
    mutating func takeRepetition() -> Bool {
        defer { mustRepeat = false }
        return mustRepeat
    }

    /// Whether a command is due.
    var isDue: Bool { mustRepeat || !unsent.isEmpty }

    /// An announcement has arrived, perhaps of an opening of this replica itself.
    package mutating func received(_ notice: BreakerNotice, at now: Instant) {
        others.sweep(at: now)
        let other = Other(storeEnd: notice.end, end: now + notice.remaining)
        if let index = own.index(of: notice.key), own[index].end + Self.tolerance >= other.end { return }
        guard let index = others.index(of: notice.key) else {
            guard others.count < Self.capacity else { return }
            _ = others.append(other, for: notice.key)
            return
        }
        if notice.end > others[index].storeEnd { others[index] = other }
    }

    /// Whether there is nothing to apply, so that no key has to be computed.
    package var isEmpty: Bool { others.count == 0 }

    /// The end of a cooldown that another replica has begun, if this one has not applied it yet.
    package mutating func take(_ key: BreakerKey, at now: Instant) -> Instant? {
        guard let index = others.index(of: key), !others[index].isTaken, !others[index].isIdle(at: now) else {
            return nil
        }
        others[index].isTaken = true
        return others[index].end
    }

    /// Until when a breaker is open that this replica or another one has opened; `nil` if it is not.
    package func end(_ key: BreakerKey, at now: Instant) -> Instant? {
        let ends = [own.index(of: key).map { own[$0].end }, others.index(of: key).map { others[$0].end }]
        return ends.compactMap { $0 }.max().flatMap { $0 > now ? $0 : nil }
    }
}
