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

    /// The number of `KEYS` and of `ARGV`, as they are passed below.
    package var operandCounts: (keys: Int, arguments: Int) {
        switch content {
        case .start(let limits, _): (1 + limits.count, 4 + 4 * limits.count)
        case .refund(let limits): (1 + limits.count, limits.count)
        case .counts(let counts): (1 + counts.count, 3 + counts.count)
        case .shares(let requests): (1 + requests.count, 3 + 4 * requests.count)
        case .open(let openings): (2, 1 + 2 * openings.count)
        case .repeatOpenings: (2, 0)
        }
    }

    /// Passes the `KEYS` of the script, without the operator's prefix.
    ///
    /// ``StoreKey/born``, then one key for each limit, count or share, or that of the open breakers.
    package func forEachKey(_ body: (String) -> Void) {
        body(StoreKey.born)
        switch content {
        case .start(let limits, _), .refund(let limits): for limit in limits { body(limit.key.text) }
        case .counts(let counts): for count in counts { body(count.key.text) }
        case .shares(let requests): for request in requests { body(request.key.text) }
        case .open, .repeatOpenings: body(StoreKey.breakers.text)
        }
    }

    /// A text or a number that the script gets as a text.
    package enum Argument: Equatable, Sendable {
        case text(String)
        case number(Int64)
    }

    /// Passes the `ARGV` of the script: what ``StoreScript`` documents for it.
    ///
    /// - Parameters:
    ///   - replica: The replica's name, which no other running process has.
    ///   - body: Called for each in turn.
    package func forEachArgument(replica: String, _ body: (Argument) -> Void) {
        func writer(_ life: Int64) {
            body(.text(replica))
            body(.number(sequence))
            body(.number(life))
        }
        switch content {
        case .start(let limits, let counts):
            writer(Self.timeToLive)
            body(.number(Self.grace))
            for (limit, count) in zip(limits, counts) { arguments(of: limit, count: count, body) }
        case .refund(let limits):
            for limit in limits {
                let spacing = if case .starts(_, let allowance) = limit { allowance.storeSpacing } else { Int64(0) }
                body(.number(spacing))
            }
        case .counts(let counts):
            writer(Self.timeToLive)
            for count in counts { body(.number(Int64(count.streams))) }
        case .shares(let requests):
            writer(ReplicaTimes.lease.storeMicroseconds)
            for request in requests {
                body(.number(request.limit))
                body(.number(request.held))
                body(.number(request.demand))
                body(.number(request.unused))
            }
        case .open(let openings):
            body(.number(Int64(SharedBreakers.capacity)))
            for opening in openings {
                body(.text(opening.key.text))
                body(.number(max(1, opening.remaining.storeMicroseconds)))
            }
        case .repeatOpenings: break
        }
    }

    private func arguments(of limit: SharedLimit, count: Int, _ body: (Argument) -> Void) {
        switch limit {
        case .starts(_, let allowance):
            body(.text("rate"))
            body(.number(allowance.storeSpacing))
            body(.number(allowance.storeTolerance))
            body(.number(0))
        case .streams(_, let limit):
            body(.text("slots"))
            body(.number(Int64(count)))
            body(.number(Int64(limit)))
            body(.number(Int64(max(1, limit / replicas))))
        }
    }

    private static let timeToLive = ReplicaTimes.timeToLive.storeMicroseconds
    private static let grace = ReplicaTimes.grace.storeMicroseconds
}
