package import Flow
import TestSupport

/// The scripts of ``StoreScript`` on values in memory: the model of the store.
///
/// `StoreModelTests` compares it with a Redis server, call by call.
package struct StoreModel {
    /// A field of a hash of counts.
    private struct Slot {
        let replica: String
        var count: Int64
        var expiry: Int64
        var sequence: Int64
    }

    /// A field of a hash of shares.
    private struct Share {
        let replica: String
        var share: Int64
        var demand: Int64
        var expiry: Int64
        var sequence: Int64
    }

    /// The field of a hash of shares that has the rate which was not leased.
    private struct Credit {
        var amount: Int64 = 0
        var since: Int64 = 0
    }

    private var born: Int64?
    private var slots: [StoreKey: [Slot]] = [:]
    private var shares: [StoreKey: [Share]] = [:]
    private var credits: [StoreKey: Credit] = [:]
    private var nextStarts: [StoreKey: Int64] = [:]
    /// The open breakers, by the ends of their cooldowns.
    private var openings: [BreakerKey: Int64] = [:]
    /// Published by the last call.
    package private(set) var announcements: [BreakerNotice] = []
    private let fault: Fault?
    private var calls = 0

    package init(fault: Fault? = nil) { self.fault = fault }

    /// When the store's data begins.
    package var beginning: Int64? { born }

    /// Loses all data, as a server without persistence does when it restarts.
    package mutating func clear() {
        (born, slots, shares, credits, nextStarts, openings) = (nil, [:], [:], [:], [:], [:])
    }

    /// The reply of the script to a command.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - replica: Who sends it.
    ///   - now: The store's time, in microseconds.
    /// - Returns: The integers that the script returns.
    package mutating func run(_ command: StoreCommand, of replica: String, at now: Int64) -> [Int64] {
        calls += 1
        announcements = []
        let born = born ?? now
        self.born = born
        switch command.content {
        case .start: return [now, born] + start(Arguments(command, replica), age: now - born, at: now)
        case .refund: refund(Arguments(command, replica), at: now)
        case .counts(let counts):
            return [now, born] + counts.map { write($0, command.sequence, of: replica, at: now) }
        case .shares(let requests):
            let isYoung = fault != .noGrace && now - born < ReplicaTimes.lease.microseconds
            return [now, born, isYoung ? 1 : 0]
                + requests.flatMap { divide($0, isYoung, command.sequence, of: replica, at: now) }
        case .open(let openings): open(openings, at: now)
        case .repeatOpenings: announce(openings(at: now), at: now)
        }
        return [now, born]
    }

    /// The open breakers with the ends of their cooldowns, the first one first.
    package func openings(at now: Int64) -> [(key: BreakerKey, end: Int64)] {
        openings.filter { $0.value > now }.map { ($0.key, $0.value) }.sorted {
            ($0.end, $0.key.text) < ($1.end, $1.key.text)
        }
    }

    /// The streams that the store counts under a key.
    package func streams(of key: StoreKey, at now: Int64) -> Int64 {
        (slots[key] ?? []).reduce(0) { $1.expiry > now ? $0 + $1.count : $0 }
    }

    /// The keys under which it counts streams.
    package func countedKeys(at now: Int64) -> [StoreKey] {
        slots.keys.filter { streams(of: $0, at: now) > 0 }.sorted { $0.text < $1.text }
    }

    /// The names of the replicas that it counts.
    package func replicas(at now: Int64) -> [String] {
        (slots[.replicas] ?? []).filter { $0.expiry > now }.map(\.replica)
    }

    /// The time of the next start at the rate; `nil` if the whole burst remains.
    package func nextStart(of key: StoreKey, at now: Int64) -> Int64? {
        nextStarts[key].flatMap { $0 > now ? $0 : nil }
    }
}

// MARK: - Starts

extension StoreModel {
    /// The numbers of a command as the script gets them: the texts of ``StoreCommand/arguments(replica:)``.
    private struct Arguments {
        let limits: [SharedLimit]
        let replica: String
        let sequence: Int64
        let texts: [String]

        init(_ command: StoreCommand, _ replica: String) {
            switch command.content {
            case .start(let limits, _), .refund(let limits): self.limits = limits
            case .counts, .shares, .open, .repeatOpenings: limits = []
            }
            (self.replica, sequence, texts) = (replica, command.sequence, command.arguments(replica: replica))
        }

        subscript(index: Int) -> Int64 { Int64(texts[index]) ?? 0 }
    }

    private mutating func start(_ arguments: Arguments, age: Int64, at now: Int64) -> [Int64] {
        let limits = arguments.limits
        let isYoung = fault != .noGrace && age < ReplicaTimes.grace.microseconds
        var found = Array(repeating: Int64(0), count: limits.count)
        var refusing = 0, wait: Int64 = 0
        for (index, limit) in limits.enumerated() {
            guard case .streams(let key, _) = limit else { continue }
            found[index] = others(key, arguments.replica, at: now)
            let count = arguments[4 * index + 5], most = arguments[4 * index + 6], part = arguments[4 * index + 7]
            let isFull = found[index] + count > most || (isYoung && count > part)
            if isFull, refusing == 0 { refusing = index + 1 }
        }
        for (index, limit) in limits.enumerated() {
            guard case .starts(let key, _) = limit else { continue }
            found[index] = max(0, (nextStarts[key] ?? 0) - now)
            let missing = found[index] - arguments[4 * index + 6]
            if missing > wait, refusing == 0 || wait > 0 { (refusing, wait) = (index + 1, missing) }
        }
        for (index, limit) in limits.enumerated() where takes(limit, refusing: refusing) {
            take(limit, arguments[4 * index + 5], &found[index], arguments, at: now)
        }
        return [refusing == 0 ? 1 : 0, Int64(refusing), wait] + found
    }

    /// Whether a limit takes the start: all do, or none does.
    private func takes(_ limit: SharedLimit, refusing: Int) -> Bool {
        if fault == .doubleGrant, calls.isMultiple(of: 8) { return false }
        if fault == .partialTake, case .starts = limit { return true }
        return refusing == 0
    }

    private mutating func take(
        _ limit: SharedLimit, _ number: Int64, _ found: inout Int64, _ arguments: Arguments, at now: Int64
    ) {
        switch limit {
        case .starts(let key, _):
            found += number
            nextStarts[key] = now + found
        case .streams(let key, _):
            set(key, number, arguments.sequence, of: arguments.replica, at: now)
        }
    }

    private mutating func refund(_ arguments: Arguments, at now: Int64) {
        for (index, limit) in arguments.limits.enumerated() {
            guard let next = nextStarts[limit.key] else { continue }
            nextStarts[limit.key] = next - arguments[index] > now ? next - arguments[index] : nil
        }
    }
}

// MARK: - Streams

extension StoreModel {
    private mutating func others(_ key: StoreKey, _ replica: String, at now: Int64) -> Int64 {
        slots[key]?.removeAll { $0.expiry <= now }
        return (slots[key] ?? []).reduce(0) { $1.replica == replica ? $0 : $0 + $1.count }
    }

    private mutating func write(
        _ count: ReplicaSlots.Count, _ sequence: Int64, of replica: String, at now: Int64
    ) -> Int64 {
        let total = others(count.key, replica, at: now)
        set(count.key, Int64(count.streams), sequence, of: replica, at: now)
        return total
    }

    private mutating func set(
        _ key: StoreKey, _ count: Int64, _ sequence: Int64, of replica: String, at now: Int64
    ) {
        var fields = slots[key] ?? []
        if let index = fields.firstIndex(where: { $0.replica == replica }) {
            if fault != .lateCommandCounts, fields[index].sequence >= sequence { return }
            fields.remove(at: index)
        }
        let ttl = fault == .shortTimeToLive ? 4_000_000 : ReplicaTimes.timeToLive.microseconds
        if count > 0 {
            fields.append(Slot(replica: replica, count: count, expiry: now + ttl, sequence: sequence))
        }
        slots[key] = fields.isEmpty ? nil : fields
    }
}

// MARK: - Breakers

extension StoreModel {
    private mutating func open(_ new: [SharedBreakers.Opening], at now: Int64) {
        openings = openings.filter { $0.value > now }
        for opening in new {
            let end = now + opening.remaining.microseconds
            guard openings[opening.key].map({ $0 < end }) ?? true else { continue }
            openings[opening.key] = end
            announce([(opening.key, end)], at: now)
        }
    }

    private mutating func announce(_ openings: [(key: BreakerKey, end: Int64)], at now: Int64) {
        for (key, end) in openings {
            announcements.append(BreakerNotice(end: end, remaining: .microseconds(end - now), key: key))
        }
    }
}

// MARK: - Shares

extension StoreModel {
    private mutating func divide(
        _ request: RateShare.Request, _ isYoung: Bool, _ sequence: Int64, of replica: String, at now: Int64
    ) -> [Int64] {
        var fields = shares[request.key] ?? []
        var credit = credit(request.key, request.limit, fields, at: now)
        fields.removeAll { $0.expiry <= now }
        let others = fields.filter { $0.replica != replica }
        let free = others.reduce(request.limit) { $0 - $1.share }
        let level = Self.fairShare(of: request.limit, demands: others.map(\.demand) + [request.demand])
        let rest = others.reduce(request.limit) { $0 - max($1.share, min($1.demand, level)) }
        let kept = max(0, min(request.held, free))
        let share = request.demand == 0 ? 0 : isYoung ? kept : max(0, rest)
        let own = fields.first { $0.replica == replica }
        var leased = own?.share ?? 0, granted: Int64 = 0
        if isYoung || request.held > leased { credit = 0 }
        if fault == .lateCommandCounts || (own?.sequence ?? -1) < sequence {
            leased = request.demand == 0 ? kept : max(share, kept)
            credit += request.unused
            if request.demand >= request.limit, share > 0, !isYoung { granted = min(credit, Self.second(of: share)) }
            fields.removeAll { $0.replica == replica }
            if request.demand > 0 || kept > 0 {
                let lease = fault == .shortLease ? 300_000 : ReplicaTimes.lease.microseconds
                fields.append(
                    Share(
                        replica: replica, share: leased, demand: request.demand, expiry: now + lease, sequence: sequence
                    ))
            }
        }
        shares[request.key] = fields.isEmpty ? nil : fields
        if fault != .creditGrantedTwice || !calls.isMultiple(of: 8) { credit -= granted }
        credits[request.key] = Credit(amount: min(credit, Self.second(of: free - leased)), since: now)
        return [share, granted]
    }

    /// The rate that was not leased since the last call, and the credit of then; at most what a second brings.
    private func credit(_ key: StoreKey, _ limit: Int64, _ fields: [Share], at now: Int64) -> Int64 {
        let lease = ReplicaTimes.lease.microseconds
        let span = lease + Int64((Double(Self.second(of: limit)) / Double(limit) * 1_000_000).rounded(.up))
        let before = credits[key] ?? Credit()
        let since = max(before.since, (born ?? now) + lease, now - span)
        var amount = before.amount + Int64(Self.brought(limit, from: since, to: now).rounded(.down))
        for field in fields where fault != .leasedRateCredited {
            amount -= Int64(Self.brought(field.share, from: since, to: min(field.expiry, now)).rounded(.up))
        }
        return max(0, min(amount, Self.second(of: limit)))
    }

    /// The most credit of a rate: that of a second, at least one record.
    private static func second(of rate: Int64) -> Int64 { max(1_000_000, rate) }

    /// The scripts have no other numbers than doubles.
    private static func brought(_ rate: Int64, from: Int64, to: Int64) -> Double {
        Double(rate) * Double(max(0, to - from)) / 1_000_000
    }

    /// The sum of the shares of a key that have not expired.
    package func leased(of key: StoreKey, at now: Int64) -> Int64 {
        (shares[key] ?? []).reduce(0) { $1.expiry > now ? $0 + $1.share : $0 }
    }

    /// The fair share: those who want less get what they want, the others equal parts of the rest.
    private static func fairShare(of limit: Int64, demands: [Int64]) -> Int64 {
        var left = limit
        for (index, demand) in demands.sorted().enumerated() {
            let fair = left / Int64(demands.count - index)
            if demand > fair { return fair }
            left -= demand
        }
        return limit
    }
}

extension Duration {
    /// Whole microseconds.
    package var microseconds: Int64 { nanoseconds / 1000 }
}
