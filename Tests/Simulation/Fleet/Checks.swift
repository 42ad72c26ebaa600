import Flow
import TestSupport

/// The invariants, by what the test knows and no replica does.
///
/// 1. Never more open streams than the limit, except those that were admitted by a part of it, and those of replicas that
///    could not reach the store for the time to live.
/// 2. Never more starts than rate and burst while the store is up: ``Ledger``.
/// 3. The leased shares of a rate add up to at most the rate, and streams draw no more than their shares bring and the credit
///    of what was not leased; in total no more than a bucket of the rate with the records of a second.
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
    var total: DrawTotal
    let route: StoreKey
    /// Of the starts of each client.
    let limits: [[SharedLimit]]
    private let clientOfKey: [StoreKey: Int]

    /// A count is certainly in the store for that long after its last write.
    static let certain: Int64 = 14_500_000_000

    init(_ scenario: Scenario) {
        self.scenario = scenario
        let clients = (0..<scenario.clients).map { ClientKey("client \($0)") }
        total = DrawTotal(clients: scenario.clients)
        let route = StoreKey(.streams, route: "/")
        let streams = clients.map { StoreKey(.streams, route: "/", client: $0) }
        let starts = clients.map { StoreKey(.starts, route: "/", client: $0) }
        (self.route, self.streams, self.starts) = (route, streams, starts)
        limits = zip(streams, starts).map { streams, starts in
            [
                .streams(streams, limit: scenario.streamLimit), .streams(route, limit: scenario.routeLimit),
                .starts(starts, scenario.allowance),
            ]
        }
        let shares = clients.map { StoreKey(.shares, route: "/", client: $0) }
        self.shares = shares
        breakers = clients.map { BreakerKey(route: "/", client: $0) }
        lateBreakers = clients.map { BreakerKey(route: "/late", client: $0) }
        rates = shares.map { SharedRate(key: $0, rate: scenario.recordRate) }
        clientOfKey = Dictionary(uniqueKeysWithValues: zip(streams, 0...))
    }

    func client(of limits: [SharedLimit]) -> Int? { limits.first.flatMap { clientOfKey[$0.key] } }
}

// MARK: - Invariants

extension Checks {
    private func part(of limit: Int, _ replica: Replica) -> Int { max(1, limit / replica.observed.counted) }

    /// Invariant 1; streams that the store may have forgotten do not count from now on.
    func openStreams(_ replicas: [Replica?], at now: Int64) -> String? {
        var ofClient = Array(repeating: 0, count: scenario.clients)
        for case let replica? in replicas {
            let certain = ofClient.indices.map { isCertain($0, replica, at: now) }
            for (id, stream) in replica.streams where !stream.isExtra {
                if certain[stream.client] {
                    ofClient[stream.client] += 1
                } else {
                    replica.streams[id]?.isExtra = true
                }
            }
        }
        if ofClient.contains(where: { $0 > scenario.streamLimit }) {
            return "more open streams of a client than its limit"
        }
        return ofClient.reduce(0, +) > scenario.routeLimit ? "more open streams than the limit of the route" : nil
    }

    /// Whether the store certainly has the streams of a client at a replica, under each of their keys.
    private func isCertain(_ client: Int, _ replica: Replica, at now: Int64) -> Bool {
        [streams[client], route].allSatisfy { key in
            replica.observed.writtenAt[key].map { now - $0 < Self.certain } ?? false
        }
    }

    /// Invariant 3.
    func leases(_ client: Int, _ replicas: [Replica?], at now: Int64) -> String? {
        let sum = replicas.reduce(Int64(0)) { sum, replica in
            guard let replica else { return sum }
            return sum + replica.limits.shares.leased(shares[client], at: replica.time(at: now))
        }
        return sum > scenario.recordLimit ? "the shares add up to more than the rate" : nil
    }

    /// Invariant 4, of the number by which limits are divided: a replica that was counted and still registers remains
    /// counted, and no number is above all reports.
    func counted(_ report: Replica.Observed.Report, _ replica: Replica) -> String? {
        let count = replica.limits.health.replicas, reported = report.names.count
        if count < max(report.fewest, reported) { return "a replica counts fewer replicas than there are" }
        let most = max(replica.observed.counted, reported)
        return count > most ? "a replica counts more replicas than were reported" : nil
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
        guard let since = replica.observed.notUsedSince, now - since > 1_000_000_000, !replica.limits.health.isUp else {
            return nil
        }
        let part = max(1, scenario.recordLimit / Int64(replica.observed.counted))
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
            if replica.limits.health.replicas != scenario.replicas { return "a replica does not count those that run" }
            if replica.limits.slots.knownKeys > 0 { return "a replica counts streams that have ended" }
            if replica.limits.shares.knownKeys > 0 { return "a replica has shares of clients without streams" }
        }
        return nil
    }
}
