/// The limits that hold over all replicas, as one replica applies them: what it asks the store, and what it decides alone.
///
/// The shell sends each command once, and reports once what became of it (``answered(_:_:jitter:at:)`` or
/// ``failed(_:jitter:at:)``; a command that was not answered within `patience` has failed). It sends what
/// ``takeCommands(at:)`` returns at the end of each turn and at each ``deadline``.
///
/// Invariants (`SharedLimitsTests`, and the simulation over all replicas):
/// 1. Each start gets one verdict: at once, or with the result of its command.
/// 2. A start waits for the store only while it is up.
/// 3. When every stream has ended, no slot is held.
package struct SharedLimits: Sendable {
    /// A step in the decision about a start.
    package enum Step: Equatable, Sendable {
        case decided(SharedVerdict)
        /// Send this command; its result decides.
        case ask(StoreCommand)
    }

    /// The most keys of one command, which blocks the store while it runs.
    static let keysPerCommand = 64
    /// The most commands of one call, so that a rejoin does not fill the connection.
    private static let commandsPerCall = 16

    package private(set) var health: StoreHealth
    package private(set) var slots = ReplicaSlots()
    package private(set) var shares = RateShares()
    package private(set) var breakers = SharedBreakers()
    private var refusals = SharedRefusals()
    private var fallbackStarts = FallbackStarts()
    private var lastSequence: Int64 = 0
    private var nextHeartbeat = Instant.distantPast
    /// When the store's data began, as it was last reported.
    private var born: Int64?

    package init(at now: Instant) {
        health = StoreHealth(at: now)
        slots.storeLost(at: now)
    }

    // MARK: Starts

    /// Decides about a start by the local state, or asks the store.
    ///
    /// - Parameters:
    ///   - limits: Its limits over all replicas, in the order in which a refusal names them.
    ///   - now: The time.
    /// - Returns: The verdict, or the command that brings it.
    package mutating func start(_ limits: [SharedLimit], at now: Instant) -> Step {
        if let refusal = localRefusal(of: limits, at: now) { return .decided(refusal) }
        guard health.isUp else { return .decided(decideAlone(limits, at: now)) }
        let sequence = takeSequence()
        let counts = limits.map { limit in
            if case .streams(let key, _) = limit { slots.opened(key, sequence: sequence, at: now) } else { 0 }
        }
        return .ask(StoreCommand(.start(limits, counts: counts), sequence: sequence, replicas: health.replicas))
    }

    /// A stream that was admitted has ended, or its start is taken back because of another limit.
    package mutating func ended(_ limits: [SharedLimit], at now: Instant) {
        for case .streams(let key, _) in limits { slots.closed(key, at: now) }
    }

    /// A stream whose end was reported is open all the same: another one has not taken over its slot after all.
    package mutating func continued(_ limits: [SharedLimit], at now: Instant) {
        for case .streams(let key, _) in limits { _ = slots.opened(key, sequence: nil, at: now) }
    }

    /// A start that counts for nothing, because the response is no stream: its command gives the store its starts back.
    ///
    /// - Parameter limits: Of a start that the store has admitted; its slots end with ``ended(_:at:)`` as those of others.
    /// - Returns: What to send; `nil` while the store is not used.
    package mutating func refund(_ limits: [SharedLimit]) -> StoreCommand? {
        let starts = limits.filter { if case .starts = $0 { true } else { false } }
        for limit in starts { refusals.mayStart(limit.key) }
        guard health.isUp, !starts.isEmpty else { return nil }
        return StoreCommand(.refund(starts), sequence: takeSequence(), replicas: health.replicas)
    }

    private func localRefusal(of limits: [SharedLimit], at now: Instant) -> SharedVerdict? {
        for (index, limit) in limits.enumerated() {
            switch limit {
            case .streams(let key, let most):
                if slots.streams(of: key) >= most { return .refused(limit: index, wait: .zero) }
            case .starts(let key, _):
                if let wait = refusals.wait(for: key, at: now) { return .refused(limit: index, wait: wait) }
            }
        }
        return nil
    }

    /// Decides without the store, by this replica's part of each limit.
    private mutating func decideAlone(_ limits: [SharedLimit], at now: Instant) -> SharedVerdict {
        for (index, limit) in limits.enumerated() {
            switch limit {
            case .streams(let key, let most):
                guard slots.streams(of: key) < health.fallback(of: most) else {
                    return .refused(limit: index, wait: .zero)
                }
            case .starts(let key, let allowance):
                let wait = fallbackStarts.wait(key, allowance.divided(by: health.replicas), at: now)
                guard wait <= .zero else { return .refused(limit: index, wait: wait) }
            }
        }
        for limit in limits {
            switch limit {
            case .streams(let key, _): _ = slots.opened(key, sequence: nil, at: now)
            case .starts(let key, let allowance):
                fallbackStarts.take(key, allowance.divided(by: health.replicas), at: now)
            }
        }
        return .admitted(.alone)
    }

    // MARK: Records

    /// A stream begins whose client's record rate counts over all replicas.
    package mutating func opened(_ budget: SharedRate, at now: Instant) {
        shares.opened(budget.key, limit: budget.limit, at: now)
    }

    /// Such a stream has ended.
    package mutating func closed(_ key: StoreKey) { shares.closed(key, isStoreUsed: health.isUp) }

    /// Records that a stream has drawn and will not use.
    package mutating func giveBack(_ records: Int, of key: StoreKey) { shares.giveBack(records, of: key) }

    /// Draws records for a stream, as ``RateShares``.
    package mutating func draw(
        _ budget: SharedRate, upTo wanted: Int, after round: inout Int64?, at now: Instant
    ) -> RecordDraw {
        shares.draw(budget.key, upTo: wanted, after: &round, limit: budget.limit, health: health, at: now)
    }

    /// What a client may get over all replicas, and how much of it at once at this one.
    package func quotas(of budget: SharedRate) -> RecordQuotas {
        let (most, seconds) = budget.rate.quota
        let left = shares.remaining(budget.key).map { min($0, most) } ?? most
        return RecordQuotas(
            rate: RecordQuotas.Part(
                limit: most, seconds: Int(seconds), remaining: left, resetSeconds: left < most ? Int(seconds) : 0))
    }

    /// The share of a key to apply now; zero if it has none.
    package mutating func applied(_ key: StoreKey, at now: Instant) -> Int64 {
        shares.applied(key, health: health, at: now)
    }

    // MARK: Breakers

    /// A client's breaker has opened at this replica, for that long.
    package mutating func opened(_ key: BreakerKey, for time: Duration, at now: Instant) {
        breakers.opened(key, for: time, at: now)
    }

    /// The end of a cooldown that another replica has begun and this one has to apply; `nil` if there is none.
    package mutating func takeOpening(_ key: BreakerKey, at now: Instant) -> Instant? { breakers.take(key, at: now) }

    /// A message of the channel has arrived.
    package mutating func received(_ notice: BreakerNotice, at now: Instant) { breakers.received(notice, at: now) }

    /// The messages of the channel arrive from now on.
    package mutating func hasSubscribed() { breakers.hasSubscribed() }

    // MARK: Commands

    /// Takes the commands that are due now.
    package mutating func takeCommands(at now: Instant) -> [StoreCommand] {
        if !health.isUp { slots.expire(at: now) }
        if health.isProbeDue(at: now) { return [heartbeat(at: now)] }
        guard health.isUp else { return [] }
        var commands: [StoreCommand] = []
        if now >= nextHeartbeat { commands.append(heartbeat(at: now)) }
        if breakers.takeRepetition() { commands.append(command(.repeatOpenings)) }
        while commands.count < Self.commandsPerCall {
            let openings = breakers.takeOpenings(upTo: Self.keysPerCommand, at: now)
            guard !openings.isEmpty else { break }
            commands.append(command(.open(openings)))
        }
        while commands.count < Self.commandsPerCall {
            let counts = slots.takeWrites(upTo: Self.keysPerCommand, sequence: lastSequence + 1, at: now)
            guard !counts.isEmpty else { break }
            commands.append(command(.counts(counts)))
        }
        while commands.count < Self.commandsPerCall {
            let requests = shares.takeRenewals(
                upTo: Self.keysPerCommand, health: health, sequence: lastSequence + 1, at: now)
            guard !requests.isEmpty else { break }
            commands.append(command(.shares(requests)))
        }
        return commands
    }

    /// When ``takeCommands(at:)`` has something; `nil` while a probe is under way.
    package var deadline: Instant? {
        guard health.isUp else { return health.deadline }
        guard !breakers.isDue else { return .distantPast }
        return min(nextHeartbeat, slots.deadline ?? nextHeartbeat, shares.deadline ?? nextHeartbeat)
    }

    /// The store has answered a command.
    ///
    /// - Returns: The verdict on the start that the command asked for; `nil` for other commands.
    package mutating func answered(
        _ command: StoreCommand, _ reply: StoreReply, jitter: Double, at now: Instant
    ) -> SharedVerdict? {
        let isBack = health.answered(jitter: jitter, at: now), hasLostData = born != reply.born
        if hasLostData { health.registrationsLost(at: now) }
        // A late answer of a store that is down writes nothing: all is written when it is back.
        if isBack || (hasLostData && !health.isDown) {
            slots.allUnknown(at: now)
            breakers.allUnknown()
        }
        born = reply.born
        switch (command.content, reply.content) {
        case (.start(let limits, _), .admitted(let found)): return admitted(limits, found, command.sequence)
        case (.start(let limits, _), .refused(let index, let wait)):
            return refused(limits, index, wait, command.sequence, at: now)
        case (.counts(let counts), .counts(let others)):
            if counts.first?.key == .replicas, let others = others.first {
                health.counted(replicas: Int(clamping: others) + 1, at: now)
            }
        case (.shares(let requests), .shares(let granted, let isYoung)):
            for (request, grant) in zip(requests, granted) {
                shares.answered(
                    request.key, grant, isYoung: isYoung, sequence: command.sequence, health: health, at: now)
            }
        default: break
        }
        return nil
    }

    /// A command was not answered in time, or with an error.
    ///
    /// - Returns: The verdict on the start that the command asked for, decided without the store; `nil` for other
    ///   commands.
    package mutating func failed(_ command: StoreCommand, jitter: Double, at now: Instant) -> SharedVerdict? {
        health.failed(jitter: jitter, at: now)
        slots.storeLost(at: now)
        switch command.content {
        case .start(let limits, _):
            // The store may have taken the start or not: the slot is given back and decided anew.
            for case .streams(let key, _) in limits { slots.closed(key, at: now) }
            return decideAlone(limits, at: now)
        case .refund: break
        case .open(let openings): breakers.areUnknown(openings)
        case .repeatOpenings: breakers.hasSubscribed()
        case .counts(let counts):
            for count in counts where count.key != .replicas { slots.isUnknown(count.key, at: now) }
        case .shares(let requests):
            for request in requests { shares.unanswered(request.key, sequence: command.sequence) }
        }
        return nil
    }

    private mutating func admitted(
        _ limits: [SharedLimit], _ found: ArraySlice<Int64>, _ sequence: Int64
    ) -> SharedVerdict {
        var quotas = ClientQuotas()
        for (limit, number) in zip(limits, found) {
            switch limit {
            case .starts(_, let allowance): quotas.starts = allowance.quota(distance: .microseconds(number))
            case .streams(let key, let most):
                let others = Int(clamping: number)
                let streams = slots.admitted(key, sequence: sequence, others: others, limit: most)
                quotas.streams = max(0, most - streams - others)
            }
        }
        return .admitted(.byStore(quotas))
    }

    private mutating func refused(
        _ limits: [SharedLimit], _ index: Int, _ wait: Duration, _ sequence: Int64, at now: Instant
    ) -> SharedVerdict {
        for case .streams(let key, _) in limits { slots.refused(key, sequence: sequence, at: now) }
        if wait > .zero { refusals.refused(limits[index].key, until: now + wait, at: now) }
        return .refused(limit: index, wait: wait)
    }

    private mutating func heartbeat(at now: Instant) -> StoreCommand {
        nextHeartbeat = now + ReplicaTimes.rewrite
        return command(.counts([ReplicaSlots.Count(key: .replicas, streams: 1)]))
    }

    private mutating func command(_ content: StoreCommand.Content) -> StoreCommand {
        StoreCommand(content, sequence: takeSequence(), replicas: health.replicas)
    }

    private mutating func takeSequence() -> Int64 {
        lastSequence += 1
        return lastSequence
    }
}
