import Flow

/// The invariants, by what the test knows and no replica does.
///
/// 1. Never more open streams than the limit, except those that were admitted by a part of it, and those of replicas that
///    could not reach the store for the time to live.
/// 2. Never more starts than rate and burst while the store is up: ``Ledger``.
/// 3. The leased shares of a rate add up to at most the rate, and streams draw no more than their shares bring.
/// 4. Without the store a replica admits and applies its part, and neither less nor more.
/// 5. An open breaker is known to all replicas within 100 ms, and some time after everything is healed.
/// 6. Every start has a verdict within `patience`; at the end nothing is held.
struct Checks {
    let scenario: Scenario
    let streams: [StoreKey]
    let starts: [StoreKey]
    let shares: [StoreKey]
    let rates: [SharedRate]
    let breakers: [BreakerKey]
    /// Of another route, whose breakers open when everything is healed.
    let lateBreakers: [BreakerKey]
    /// Of the time after everything is healed.
    var total = DrawTotal()
    let route = StoreKey(.streams, route: "/")
    private let clientOfKey: [StoreKey: Int]
    /// The replicas that the store has reported to each process last; 1 before.
    private var reported: [String: Int] = [:]
    private var notUsedSince: [String: Int64] = [:]
    /// When the store has got the count of a key from a process last.
    private var writtenAt: [String: [StoreKey: Int64]] = [:]

    /// A count is certainly in the store for that long after its last write.
    private static let certain: Int64 = 14_500_000_000

    init(_ scenario: Scenario) {
        self.scenario = scenario
        let clients = (0..<scenario.clients).map { ClientKey("client \($0)") }
        streams = clients.map { StoreKey(.streams, route: "/", client: $0) }
        starts = clients.map { StoreKey(.starts, route: "/", client: $0) }
        let shares = clients.map { StoreKey(.shares, route: "/", client: $0) }
        self.shares = shares
        breakers = clients.map { BreakerKey(route: "/", client: $0) }
        lateBreakers = clients.map { BreakerKey(route: "/late", client: $0) }
        rates = shares.map { SharedRate(key: $0, rate: scenario.recordRate) }
        clientOfKey = Dictionary(uniqueKeysWithValues: zip(streams, 0...))
    }

    func client(of limits: [SharedLimit]) -> Int? { limits.first.flatMap { clientOfKey[$0.key] } }

    // MARK: What happens

    mutating func counted(_ replicas: Int?, of process: String) {
        if let replicas { reported[process] = replicas }
    }

    mutating func noted(_ replica: Replica?, at now: Int64) {
        guard let replica else { return }
        if replica.limits.health.isUp {
            notUsedSince[replica.name] = nil
        } else if notUsedSince[replica.name] == nil {
            notUsedSince[replica.name] = now
        }
    }

    mutating func written(_ command: StoreCommand, _ integers: [Int64], by name: String, at now: Int64) {
        switch command.content {
        case .start(let limits, _) where integers[2] == 1:
            for case .streams(let key, _) in limits { writtenAt[name, default: [:]][key] = now }
        case .counts(let counts):
            for count in counts { writtenAt[name, default: [:]][count.key] = now }
        case .start, .refund, .shares, .open, .repeatOpenings: break
        }
    }
}

// MARK: - Invariants

extension Checks {
    private func part(of limit: Int, _ replica: Replica) -> Int { max(1, limit / reported(replica)) }

    private func reported(_ replica: Replica) -> Int { reported[replica.name] ?? 1 }

    /// Invariant 1.
    func openStreams(_ replicas: inout [Replica?], at now: Int64) -> String? {
        var ofClient = Array(repeating: 0, count: scenario.clients)
        for index in replicas.indices {
            guard let replica = replicas[index] else { continue }
            for (id, stream) in replica.streams where !stream.isExtra {
                guard isCertain(stream, replica, at: now) else {
                    replicas[index]?.streams[id]?.isExtra = true
                    continue
                }
                ofClient[stream.client] += 1
            }
        }
        if ofClient.contains(where: { $0 > scenario.streamLimit }) {
            return "more open streams of a client than its limit"
        }
        return ofClient.reduce(0, +) > scenario.routeLimit ? "more open streams than the limit of the route" : nil
    }

    private func isCertain(_ stream: Replica.Stream, _ replica: Replica, at now: Int64) -> Bool {
        guard let keys = writtenAt[replica.name] else { return false }
        for case .streams(let key, _) in stream.limits {
            guard let time = keys[key], now - time < Self.certain else { return false }
        }
        return true
    }

    /// Invariant 3.
    func leases(_ client: Int, _ replicas: [Replica?], at now: Int64) -> String? {
        let sum = replicas.reduce(Int64(0)) { sum, replica in
            guard let replica else { return sum }
            return sum + replica.limits.shares.leased(shares[client], at: replica.time(at: now))
        }
        return sum > scenario.recordLimit ? "the shares add up to more than the rate" : nil
    }

    /// Invariant 4, of streams: no more than the part, of a replica that decides alone.
    func admittedAlone(_ basis: SharedVerdict.Basis, _ client: Int, _ replica: Replica, _ limits: [SharedLimit])
        -> String?
    {
        guard case .alone = basis else { return nil }
        for case .streams(let key, let limit) in limits {
            if replica.limits.slots.streams(of: key) > part(of: limit, replica) {
                return "more than the part of a limit"
            }
        }
        return nil
    }

    /// Invariant 4, after the store has lost its data: a replica gets no more than its part before the others have written.
    func admittedByYoungStore(_ command: StoreCommand, _ limits: [SharedLimit], _ counts: [Int]) -> String? {
        let arguments = command.arguments(replica: "")
        for (index, count) in counts.enumerated() where arguments[4 * index + 4] == "slots" {
            if count > Int(arguments[4 * index + 7]) ?? 0 { return "more than the part of a limit after a loss" }
        }
        return nil
    }

    /// Invariant 4, of streams: no less than the part.
    func refused(_ index: Int, _ limits: [SharedLimit], _ replica: Replica, sequence: Int64?) -> String? {
        guard case .streams(let key, let limit) = limits[index], sequence == nil else { return nil }
        return replica.limits.slots.streams(of: key) < part(of: limit, replica) ? "less than the part of a limit" : nil
    }

    /// Invariant 4, of shares.
    func applied(_ share: Int64, _ replica: Replica, at now: Int64) -> String? {
        if share > scenario.recordLimit { return "a share above the rate" }
        guard let since = notUsedSince[replica.name], now - since > 1_000_000_000, !replica.limits.health.isUp else {
            return nil
        }
        let part = max(1, scenario.recordLimit / Int64(reported(replica)))
        return share == part ? nil : "a share without the store that is not the part of the rate"
    }

    /// Some time after everything is healed, the shares are used up, and no replica gets much less than the others.
    func progress(_ replicas: [Replica?], at now: Int64) -> String? {
        for key in shares {
            let leased = replicas.compactMap { $0?.limits.shares.leased(key, at: $0?.time(at: now) ?? .distantPast) }
            if leased.reduce(0, +) < scenario.recordLimit * 9 / 10 { return "a part of the rate is not used" }
            if leased.contains(where: { $0 < scenario.recordLimit / Int64(2 * replicas.count) }) {
                return "a replica gets less than half of its share"
            }
        }
        return nil
    }

    /// Invariant 6, at the end.
    func end(_ replicas: [Replica?], counted: [StoreKey]) -> String? {
        if counted.contains(where: { $0 != .replicas }) { return "the store counts streams that have ended" }
        for case let replica? in replicas {
            if replica.limits.slots.knownKeys > 0 { return "a replica counts streams that have ended" }
            if replica.limits.shares.knownKeys > 0 { return "a replica has shares of clients without streams" }
        }
        return nil
    }
}
