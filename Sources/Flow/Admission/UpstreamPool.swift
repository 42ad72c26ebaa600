/// The upstreams of one route: selects the upstream of each request, and skips those that fail.
///
/// Each upstream is identified by its name: a reload that keeps the name keeps its breaker and its count. The caller
/// maps names to addresses.
///
/// Invariants (`UpstreamPoolTests`):
/// 1. No upstream has more requests than `limit`, except after that was lowered; then the number only falls.
/// 2. A refusal changes nothing.
/// 3. An upstream whose breaker is open gets no request while another one is available.
/// 4. An upstream that is down by its health check gets no request.
/// 5. After everything was released every count is zero, and only configured upstreams are kept.
///
/// - Complexity: O(upstreams) for each call.
package struct UpstreamPool: Sendable {
    /// A request's slot at an upstream; ``released(_:at:)`` returns it.
    package struct Slot: Sendable {
        fileprivate let id: Int
        package let name: String
        /// The index of the upstream in the configuration; valid until another configuration is applied.
        package let index: Int
        /// The ticket of the upstream's breaker; `nil` if there is no breaker, or after a verdict.
        package fileprivate(set) var ticket: CircuitBreaker.Ticket?
        /// In a dry run of the breaker, the reason for which the request would have been refused.
        package let wouldRefuse: AdmissionError?
    }

    /// The state of one upstream.
    package struct Status: Sendable {
        package let name: String
        /// The state of its breaker; `nil` if it has none.
        package let state: CircuitBreaker.State?
        /// The time until a probe is sent; zero unless the breaker is open.
        package let openFor: Duration
        package let openRequests: Int
        /// The result of its health checks; `nil` if there are none.
        package let isDown: Bool?
        /// Whether an operator has drained it: open requests continue, and it gets no new ones.
        package let isDrained: Bool
        /// Requests that it got since the start.
        package let requests: Int
    }

    private struct Member {
        let id: Int
        let name: String
        var breaker: CircuitBreaker?
        /// The breaker that the rules have switched off: reset, so that none of its tickets counts if it is switched on
        /// again.
        var retired: CircuitBreaker?
        var openRequests = 0
        var requests = 0
        var isDrained = false
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
    /// Upstreams that a reload removed, until the last of their requests has ended.
    private var removed: [Member] = []
    private var removedTrips = 0
    private var nextId = 0
    /// The index at which the next turn begins.
    private var cursor = 0

    /// A pool of the upstreams with these names, in the order of the configuration.
    package init(_ names: [String], rules: UpstreamRules = UpstreamRules()) {
        self.rules = rules
        members = names.map { makeMember($0) }
    }

    private mutating func makeMember(_ name: String) -> Member {
        nextId += 1
        return Member(id: nextId, name: name, breaker: rules.breaker.map { CircuitBreaker(policy: $0) })
    }

    /// Applies other rules and other upstreams from now on; open requests stay open, and count.
    package mutating func apply(_ names: [String], rules new: UpstreamRules, at now: Instant) {
        rules = new
        var remaining = members
        members = names.map { name in
            guard let known = remaining.firstIndex(where: { $0.name == name }) else { return makeMember(name) }
            var member = remaining.remove(at: known)
            member.follow(new.breaker, at: now)
            if new.check == nil { member.check = HealthCheck() }
            return member
        }
        for member in remaining { removedTrips += member.trips }
        removed += remaining.filter { $0.openRequests > 0 }
        cursor = 0
    }

    // MARK: Requests

    /// Takes a slot at the upstream whose turn it is.
    ///
    /// - Parameters:
    ///   - tried: Slots that were returned already, whose upstreams are tried last.
    ///   - onlyOthers: Whether those upstreams are skipped.
    ///   - now: The time.
    /// - Returns: The slot.
    /// - Throws: The reason, of several the one with the shortest `Retry-After`; then nothing was taken.
    package mutating func admit(
        after tried: [Slot] = [], onlyOthers: Bool = false, at now: Instant
    ) throws(AdmissionError) -> Slot {
        var refusal: AdmissionError?
        var refused: (index: Int, error: AdmissionError)?
        for index in order(after: tried, onlyOthers: onlyOthers) {
            if members[index].isDrained {
                refusal = sooner(refusal, .upstreamDrained)
                continue
            }
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
        // If there is no upstream except those that were tried, none is busy: the caller keeps the response it has.
        throw refusal ?? .upstreamBusy(limit: rules.limit ?? 0)
    }

    private mutating func taken(
        _ index: Int, isTurn: Bool, ticket: CircuitBreaker.Ticket?, wouldRefuse: AdmissionError? = nil
    ) -> Slot {
        members[index].openRequests += 1
        members[index].requests += 1
        // An upstream that replaces another keeps its own turn. Otherwise one that fails would give every other turn,
        // with two upstreams all, to the same upstream.
        if isTurn { cursor = (index + 1) % members.count }
        return Slot(
            id: members[index].id, name: members[index].name, index: index, ticket: ticket, wouldRefuse: wouldRefuse)
    }

    /// Indices in the order in which they are tried: by open requests, or in turn.
    private func order(after tried: [Slot], onlyOthers: Bool) -> [Int] {
        guard members.count > 1 || onlyOthers else { return Array(members.indices) }
        var turns = members.indices.map { (cursor + $0) % members.count }
        if onlyOthers { turns.removeAll { index in tried.contains { $0.id == members[index].id } } }
        guard rules.balance == .leastStreams else { return turns }
        // The offset in turn order makes the sort stable.
        return turns.enumerated().sorted { left, right in
            (members[left.element].openRequests, left.offset) < (members[right.element].openRequests, right.offset)
        }.map(\.element)
    }

    private func sooner(_ one: AdmissionError?, _ other: AdmissionError) -> AdmissionError {
        guard let one, one.retryAfter <= other.retryAfter else { return other }
        return one
    }

    /// A request has ended.
    package mutating func released(_ slot: Slot, at now: Instant) {
        change(slot) { member in
            // A slot belongs to a permit, which is not copyable and releases each of its slots once.
            precondition(member.openRequests > 0, "a release without an admission")
            member.openRequests -= 1
            if let ticket = slot.ticket { member.breaker?.released(ticket, at: now) }
        }
        if !removed.isEmpty { removed.removeAll { $0.openRequests == 0 } }
    }

    /// The request of a slot that was released was not sent: it does not count.
    package mutating func withdrawn(_ slot: Slot) { change(slot) { $0.requests -= 1 } }

    // MARK: Verdicts

    /// The upstream has shown that it works.
    ///
    /// - Returns: Whether this closed its breaker.
    package mutating func succeeded(_ slot: inout Slot, at now: Instant) -> Bool {
        guard var ticket = slot.ticket else { return false }
        let wasProbe = ticket.isProbe
        var hasClosed = false
        change(slot) { member in
            member.breaker?.succeeded(&ticket, at: now)
            hasClosed = wasProbe && member.breaker?.state(at: now) == .closed
        }
        slot.ticket = ticket
        return hasClosed
    }

    /// The upstream has failed the request; only the first verdict for a slot counts.
    ///
    /// - Returns: Whether this opened its breaker.
    package mutating func failed(_ slot: inout Slot, at now: Instant, jitter: Double) -> Bool {
        guard let ticket = slot.ticket else { return false }
        slot.ticket = nil
        var hasOpened = false
        change(slot) { hasOpened = $0.breaker?.failed(ticket, at: now, jitter: jitter) ?? false }
        return hasOpened
    }

    /// The request ended without a verdict on its upstream.
    package mutating func judgedNeither(_ slot: inout Slot, at now: Instant) {
        guard let ticket = slot.ticket else { return }
        slot.ticket = nil
        change(slot) { $0.breaker?.released(ticket, at: now) }
    }

    /// A health check has a result.
    ///
    /// - Returns: Whether the upstream went down or came up, as the check says.
    package mutating func checked(_ name: String, isGood: Bool) -> Bool {
        guard let policy = rules.check, let index = members.firstIndex(where: { $0.name == name }) else { return false }
        return members[index].check.answered(isGood: isGood, by: policy)
    }

    private mutating func change(_ slot: Slot, _ body: (inout Member) -> Void) {
        if let index = members.firstIndex(where: { $0.id == slot.id }) {
            body(&members[index])
        } else if let index = removed.firstIndex(where: { $0.id == slot.id }) {
            body(&removed[index])
        }
    }

    // MARK: State

    /// The state of each upstream, in the order of the configuration.
    package func statuses(at now: Instant) -> [Status] {
        members.map { member in
            Status(
                name: member.name, state: member.breaker?.state(at: now),
                openFor: member.breaker?.timeUntilHalfOpen(at: now) ?? .zero, openRequests: member.openRequests,
                isDown: rules.check == nil ? nil : member.check.isDown, isDrained: member.isDrained,
                requests: member.requests)
        }
    }

    /// The time until a probe is sent to the upstream of a slot; zero unless its breaker is open.
    package func timeUntilHalfOpen(_ slot: Slot, at now: Instant) -> Duration {
        let member = members.first { $0.id == slot.id }
        return member?.breaker?.timeUntilHalfOpen(at: now) ?? .zero
    }

    /// The number of times a breaker opened, over all upstreams and all time.
    package var trips: Int { members.reduce(removedTrips) { $0 + $1.trips } }

    /// Drains an upstream, or ends that, by an operator's command; a reload keeps it.
    ///
    /// - Returns: Whether there is such an upstream.
    package mutating func drain(_ name: String, _ isDrained: Bool) -> Bool {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return false }
        members[index].isDrained = isDrained
        return true
    }

    /// Closes the breaker of an upstream by an operator's command.
    ///
    /// - Returns: Whether it has one that was not closed.
    package mutating func reset(_ name: String, at now: Instant) -> Bool {
        guard let index = members.firstIndex(where: { $0.name == name }),
            let state = members[index].breaker?.state(at: now), state != .closed
        else { return false }
        members[index].breaker?.reset(at: now)
        return true
    }
}
