/// What a replica asks the store for: one call of a script.
package struct StoreCommand: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// `counts` has the streams of each limit on streams, this one included, and 0 for the others.
        case start([SharedLimit], counts: [Int])
        /// Starts that were none, as for responses that are no streams.
        case refund([SharedLimit])
        case counts([ReplicaSlots.Count])
        case shares([RateShare.Request])
        case open([SharedBreakers.Opening])
        case repeatOpenings
    }

    package let content: Content
    /// Higher than that of every command of this replica before; also the identity of the command.
    package let sequence: Int64
    /// The replica's part of a limit is the limit divided by these.
    let replicas: Int

    package init(_ content: Content, sequence: Int64, replicas: Int) {
        (self.content, self.sequence, self.replicas) = (content, sequence, replicas)
    }

    package var script: StoreScript {
        switch content {
        case .start: .start
        case .refund: .refund
        case .counts: .counts
        case .shares: .shares
        case .open: .open
        case .repeatOpenings: .repeat
        }
    }

    /// The `KEYS` of the script.
    ///
    /// - Parameter prefix: The operator's `prefix`.
    /// - Returns: ``StoreKey/born``, then one key for each limit, count or share, or that of the open breakers.
    package func keys(prefix: String) -> [String] {
        let keys: [StoreKey] =
            switch content {
            case .start(let limits, _), .refund(let limits): limits.map(\.key)
            case .counts(let counts): counts.map(\.key)
            case .shares(let requests): requests.map(\.key)
            case .open, .repeatOpenings: [.breakers]
            }
        return [prefix + StoreKey.born] + keys.map { prefix + $0.text }
    }

    /// The `ARGV` of the script.
    ///
    /// - Parameter replica: The replica's name, which no other running process has.
    /// - Returns: What ``StoreScript`` documents for the script.
    package func arguments(replica: String) -> [String] {
        let writer = [replica, "\(sequence)"]
        switch content {
        case .start(let limits, let counts):
            return writer + Self.times([ReplicaTimes.timeToLive, ReplicaTimes.grace])
                + zip(limits, counts).flatMap { limit, count in arguments(of: limit, count: count) }
        case .refund(let limits):
            return limits.map { limit in
                if case .starts(_, let allowance) = limit { "\(allowance.storeSpacing)" } else { "0" }
            }
        case .counts(let counts):
            return writer + Self.times([ReplicaTimes.timeToLive]) + counts.map { "\($0.streams)" }
        case .shares(let requests):
            return writer + Self.times([ReplicaTimes.lease])
                + requests.flatMap { ["\($0.limit)", "\($0.held)", "\($0.demand)"] }
        case .open(let openings):
            return ["\(SharedBreakers.capacity)"]
                + openings.flatMap { [$0.key.text, "\(max(1, $0.remaining.storeMicroseconds))"] }
        case .repeatOpenings: return []
        }
    }

    private func arguments(of limit: SharedLimit, count: Int) -> [String] {
        switch limit {
        case .starts(_, let allowance): ["rate", "\(allowance.storeSpacing)", "\(allowance.storeTolerance)", "0"]
        case .streams(_, let limit): ["slots", "\(count)", "\(limit)", "\(max(1, limit / replicas))"]
        }
    }

    private static func times(_ durations: [Duration]) -> [String] { durations.map { "\($0.storeMicroseconds)" } }
}
