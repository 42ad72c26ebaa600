/// The upstreams of one route: which of them gets the next request, and which are spared because they fail.
///
/// Each upstream is known by its name: a reload that keeps the name keeps its breaker and its count. How to reach it is for
/// the caller to know.
///
/// Invariants (`UpstreamPoolTests`):
/// 1. No upstream has more requests than `limit`, except after that was lowered, and then they only become fewer.
/// 2. A refusal changes nothing.
/// 3. An upstream whose breaker is open gets nothing while another one can be had.
/// 4. An upstream that is down by its health check gets nothing.
/// 5. When everything was released every count is zero, and only those upstreams are remembered that are configured.
///
/// - Complexity: O(upstreams) for each call.
package struct UpstreamPool: Sendable {
    /// A request's place at an upstream, to be given back with ``released(_:at:)``.
    package struct Place: Sendable {
        fileprivate let id: Int
        package let name: String
        /// Of the upstream among those of the configuration; it holds until another one is applied.
        package let index: Int
        /// That of the upstream's breaker; `nil` where there is none, or once it was told how it went.
        package fileprivate(set) var ticket: CircuitBreaker.Ticket?
        /// In a dry run of the breaker, what the request would have been refused for.
        package let wouldRefuse: AdmissionError?
    }

    /// How one upstream stands.
    package struct Standing: Sendable {
        package let name: String
        /// Of its breaker; `nil` where it has none.
        package let state: CircuitBreaker.State?
        /// Until it is tried again; zero unless the breaker is open.
        package let openFor: Duration
        package let openRequests: Int
        /// By its health check; `nil` where there is none.
        package let isDown: Bool?
    }

    private struct Member {
        let id: Int
        let name: String
        var breaker: CircuitBreaker?
        /// The breaker that the rules have switched off: reset, so that no ticket of its counts should it come back.
        var retired: CircuitBreaker?
        var openRequests = 0
        var check = HealthCheck()

        var trips: Int { breaker?.trips ?? retired?.trips ?? 0 }

        mutating func follow(_ policy: CircuitBreaker.Policy?, at now: Instant) {
            switch (policy, breaker) {
            case (let policy?, _):
                breaker = breaker ?? retired ?? CircuitBreaker(policy: policy)
                breaker?.policy = policy
                retired = nil
            case (nil, var old?):
                old.reset(at: now)
                (retired, breaker) = (old, nil)
            case (nil, nil): break
            }
        }
    }

    private var rules: UpstreamRules
    /// In the order of the configuration.
    private var members: [Member] = []
    /// Those that a reload took away, until the last of their requests has ended.
    private var departed: [Member] = []
    private var departedTrips = 0
    private var nextId = 0
    /// Where the next turn begins.
    private var cursor = 0

    package init(_ names: [String], rules: UpstreamRules = UpstreamRules()) {
        self.rules = rules
        members = names.map { makeMember($0) }
    }

    private mutating func makeMember(_ name: String) -> Member {
        nextId += 1
        return Member(id: nextId, name: name, breaker: rules.breaker.map { CircuitBreaker(policy: $0) })
    }

    /// Decides by other rules, between other upstreams, from now on; what is open stays open, and counts.
    package mutating func apply(_ names: [String], rules new: UpstreamRules, at now: Instant) {
        rules = new
        var left = members
        members = names.map { name in
            guard let known = left.firstIndex(where: { $0.name == name }) else { return makeMember(name) }
            var member = left.remove(at: known)
            member.follow(new.breaker, at: now)
            if new.check == nil { member.check = HealthCheck() }
            return member
        }
        for member in left { departedTrips += member.trips }
        departed += left.filter { $0.openRequests > 0 }
        cursor = 0
    }

    // MARK: Requests

    /// Takes a place at the upstream whose turn it is.
    ///
    /// - Parameters:
    ///   - tried: Places that were given back already, whose upstreams come last.
    ///   - onlyOthers: Whether those upstreams are left out altogether.
    ///   - now: The time.
    /// - Returns: The place.
    /// - Throws: Why none can be had, of several reasons the one that is over soonest; then nothing was taken.
    package mutating func admit(
        after tried: [Place] = [], onlyOthers: Bool = false, at now: Instant
    ) throws(AdmissionError) -> Place {
        var refusal: AdmissionError?
        var refused: (index: Int, error: AdmissionError)?
        for index in order(after: tried, onlyOthers: onlyOthers) {
            if members[index].check.isDown {
                refusal = sooner(refusal, .upstreamDown(retryAfter: rules.check?.interval ?? .seconds(1)))
                continue
            }
            if let limit = rules.limit, members[index].openRequests >= limit {
                refusal = sooner(refusal, .upstreamBusy(limit: limit))
                continue
            }
            do throws(CircuitBreaker.Refusal) {
                let ticket = try members[index].breaker?.admit(at: now)
                return taken(index, isTurn: tried.isEmpty, ticket: ticket)
            } catch {
                refusal = sooner(refusal, .upstreamBreakerOpen(error))
                refused = refused ?? (index, .upstreamBreakerOpen(error))
            }
        }
        if rules.isBreakerDryRun, let refused {
            return taken(refused.index, isTurn: tried.isEmpty, ticket: nil, wouldRefuse: refused.error)
        }
        // Without any upstream but those that were tried, nobody is busy: the caller keeps what it has.
        throw refusal ?? .upstreamBusy(limit: rules.limit ?? 0)
    }

    private mutating func taken(
        _ index: Int, isTurn: Bool, ticket: CircuitBreaker.Ticket?, wouldRefuse: AdmissionError? = nil
    ) -> Place {
        members[index].openRequests += 1
        // Who steps in for another keeps its own turn: or one that fails would have every other turn, of two all.
        if isTurn { cursor = (index + 1) % members.count }
        return Place(
            id: members[index].id, name: members[index].name, index: index, ticket: ticket, wouldRefuse: wouldRefuse)
    }

    /// Indices in the order in which they are tried: by what is open there, or in turn.
    private func order(after tried: [Place], onlyOthers: Bool) -> [Int] {
        guard members.count > 1 || onlyOthers else { return Array(members.indices) }
        var turns = members.indices.map { (cursor + $0) % members.count }
        if onlyOthers { turns.removeAll { index in tried.contains { $0.id == members[index].id } } }
        guard rules.balance == .leastStreams else { return turns }
        // A stable order would be enough; the turn makes it one.
        return turns.enumerated().sorted { left, right in
            (members[left.element].openRequests, left.offset) < (members[right.element].openRequests, right.offset)
        }.map(\.element)
    }

    private func sooner(_ one: AdmissionError?, _ other: AdmissionError) -> AdmissionError {
        guard let one, one.retryAfter <= other.retryAfter else { return other }
        return one
    }

    /// A request is over.
    package mutating func released(_ place: Place, at now: Instant) {
        change(place) { member in
            // A place belongs to a permit, which is not copyable and releases each of its places once.
            precondition(member.openRequests > 0, "a release without an admission")
            member.openRequests -= 1
            if let ticket = place.ticket { member.breaker?.released(ticket, at: now) }
        }
        if !departed.isEmpty { departed.removeAll { $0.openRequests == 0 } }
    }

    // MARK: Verdicts

    /// The upstream has shown that it works.
    ///
    /// - Returns: Whether this closed its breaker.
    package mutating func succeeded(_ place: inout Place, at now: Instant) -> Bool {
        guard var ticket = place.ticket else { return false }
        let wasProbe = ticket.isProbe
        var hasClosed = false
        change(place) { member in
            member.breaker?.succeeded(&ticket, at: now)
            hasClosed = wasProbe && member.breaker?.state(at: now) == .closed
        }
        place.ticket = ticket
        return hasClosed
    }

    /// The upstream has failed the request; only the first verdict on a place counts.
    ///
    /// - Returns: Whether this opened its breaker.
    package mutating func failed(_ place: inout Place, at now: Instant, jitter: Double) -> Bool {
        guard let ticket = place.ticket else { return false }
        place.ticket = nil
        var hasOpened = false
        change(place) { hasOpened = $0.breaker?.failed(ticket, at: now, jitter: jitter) ?? false }
        return hasOpened
    }

    /// The request has told nothing of its upstream.
    package mutating func judgedNeither(_ place: inout Place, at now: Instant) {
        guard let ticket = place.ticket else { return }
        place.ticket = nil
        change(place) { $0.breaker?.released(ticket, at: now) }
    }

    /// It was asked how it is.
    ///
    /// - Returns: Whether that took it out, or brought it back; then it is as it answered.
    package mutating func checked(_ name: String, isGood: Bool) -> Bool {
        guard let policy = rules.check, let index = members.firstIndex(where: { $0.name == name }) else { return false }
        return members[index].check.answered(isGood: isGood, by: policy)
    }

    private mutating func change(_ place: Place, _ body: (inout Member) -> Void) {
        if let index = members.firstIndex(where: { $0.id == place.id }) {
            body(&members[index])
        } else if let index = departed.firstIndex(where: { $0.id == place.id }) {
            body(&departed[index])
        }
    }

    // MARK: How they stand

    package func standing(at now: Instant) -> [Standing] {
        members.map { member in
            Standing(
                name: member.name, state: member.breaker?.state(at: now),
                openFor: member.breaker?.timeUntilHalfOpen(at: now) ?? .zero, openRequests: member.openRequests,
                isDown: rules.check == nil ? nil : member.check.isDown)
        }
    }

    /// Until the upstream of a place is tried again; zero unless its breaker is open.
    package func timeUntilHalfOpen(_ place: Place, at now: Instant) -> Duration {
        let member = members.first { $0.id == place.id }
        return member?.breaker?.timeUntilHalfOpen(at: now) ?? .zero
    }

    /// How often a breaker has opened, over all upstreams and all time.
    package var trips: Int { members.reduce(departedTrips) { $0 + $1.trips } }

    /// Closes the breaker of an upstream by hand.
    ///
    /// - Returns: Whether there was one that was not closed.
    package mutating func reset(_ name: String, at now: Instant) -> Bool {
        guard let index = members.firstIndex(where: { $0.name == name }),
            let state = members[index].breaker?.state(at: now), state != .closed
        else { return false }
        members[index].breaker?.reset(at: now)
        return true
    }
}

/// How a route chooses between its upstreams.
package struct UpstreamRules: Equatable, Sendable {
    package enum Balance: String, Sendable, CaseIterable {
        /// The one with the fewest streams and requests open.
        case leastStreams = "least_streams"
        case roundRobin = "round_robin"
    }

    package var balance: Balance
    /// Streams and requests at one upstream at a time; `nil` for no bound.
    package var limit: Int?
    /// `nil` where failing upstreams are not spared.
    package var breaker: CircuitBreaker.Policy?
    package var isBreakerDryRun: Bool
    /// `nil` where upstreams are not asked how they are.
    package var check: HealthCheck.Policy?

    package init(
        balance: Balance = .leastStreams, limit: Int? = nil, breaker: CircuitBreaker.Policy? = nil,
        isBreakerDryRun: Bool = false, check: HealthCheck.Policy? = nil
    ) {
        (self.balance, self.limit, self.breaker, self.isBreakerDryRun) = (balance, limit, breaker, isBreakerDryRun)
        self.check = check
    }
}
