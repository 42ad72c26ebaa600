/// The open streams of this replica under each shared limit, and which counts the store must be sent when.
///
/// A replica writes its absolute counts: when they change, and again every five seconds. State that was lost on the way,
/// in a restart or in a fail-over is corrected by the next write, whereas counters that are incremented and decremented
/// would keep every error.
///
/// Invariants (`ReplicaSlotsTests`):
/// 1. A count that changed other than by an admitted start is in the next writes.
/// 2. Every count above zero is written again within the rewrite time, and every zero once.
/// 3. Without an open stream there is no entry after the rewrite time.
///
/// - Complexity: O(1) amortised for each stream; a write visits only what it writes.
package struct ReplicaSlots: Sendable {
    /// The streams of one key that are open at this replica.
    package struct Count: Equatable, Sendable {
        package let key: StoreKey
        package let streams: Int

        package init(key: StoreKey, streams: Int) { (self.key, self.streams) = (key, streams) }
    }

    private struct Entry {
        var streams = 0
        /// Whether the store has to be sent the count, and `changed` has the key.
        var isChanged = false
        /// The last command that carried the count.
        var sequence: Int64 = 0
    }

    private struct Rewrite {
        let key: StoreKey
        let due: Instant
    }

    private var entries: [StoreKey: Entry] = [:]
    private var changed: [StoreKey] = []
    /// Every key once, in the order of their times.
    private var rewrites = Ring<Rewrite>()
    private var lastChanges = Instant.distantPast

    package init() {}

    package var knownKeys: Int { entries.count }

    package func streams(of key: StoreKey) -> Int { entries[key]?.streams ?? 0 }

    /// A stream is about to be asked for; it counts until ``closed(_:)`` or ``refused(_:sequence:)``.
    ///
    /// - Parameters:
    ///   - key: The limit's key.
    ///   - sequence: Of the command that carries the count; `nil` if the start was decided without the store.
    ///   - now: The time.
    /// - Returns: The streams, this one included.
    package mutating func opened(_ key: StoreKey, sequence: Int64?, at now: Instant) -> Int {
        if entries[key] == nil { rewrites.append(Rewrite(key: key, due: now + ReplicaTimes.rewrite)) }
        entries[key, default: Entry()].streams += 1
        if let sequence { entries[key]?.sequence = sequence } else { change(key) }
        return streams(of: key)
    }

    /// A stream has ended.
    package mutating func closed(_ key: StoreKey) {
        precondition(streams(of: key) > 0, "the end of a stream that was not opened")
        entries[key]?.streams -= 1
        change(key)
    }

    /// The store has refused the start, and not taken its count; another command may have carried it meanwhile.
    package mutating func refused(_ key: StoreKey, sequence: Int64) {
        precondition(streams(of: key) > 0, "a refusal of a stream that was not opened")
        entries[key]?.streams -= 1
        if entries[key]?.sequence != sequence { change(key) }
    }

    /// It is not known whether the store has the count: a command that carried it failed.
    package mutating func isUnknown(_ key: StoreKey) { change(key) }

    /// The store may have lost everything.
    package mutating func allUnknown() {
        for position in rewrites.startPosition..<rewrites.endPosition { change(rewrites[position].key) }
    }

    /// Takes the counts that have to be written now, at most `limit`.
    package mutating func takeWrites(upTo limit: Int, sequence: Int64, at now: Instant) -> [Count] {
        var writes: [Count] = []
        if now >= lastChanges + ReplicaTimes.writePause {
            while writes.count < limit, let key = changed.popLast() { write(key, sequence, into: &writes) }
            if changed.isEmpty { lastChanges = now }
        }
        while writes.count < limit, let first = rewrites.first, first.due <= now {
            rewrites.removeFirst()
            rewrite(first.key, sequence, into: &writes, at: now)
        }
        return writes
    }

    /// When ``takeWrites(upTo:sequence:at:)`` has something; `nil` if there is nothing.
    package var deadline: Instant? {
        let change = changed.isEmpty ? nil : lastChanges + ReplicaTimes.writePause
        guard let rewrite = rewrites.first?.due else { return change }
        return min(rewrite, change ?? rewrite)
    }

    private mutating func change(_ key: StoreKey) {
        guard entries[key]?.isChanged == false else { return }
        entries[key]?.isChanged = true
        changed.append(key)
    }

    private mutating func write(_ key: StoreKey, _ sequence: Int64, into writes: inout [Count]) {
        guard let entry = entries[key] else { return }
        entries[key]?.isChanged = false
        entries[key]?.sequence = sequence
        writes.append(Count(key: key, streams: entry.streams))
    }

    /// Writes a count again, unless it is zero: that was written when it became zero.
    private mutating func rewrite(
        _ key: StoreKey, _ sequence: Int64, into writes: inout [Count], at now: Instant
    ) {
        guard let entry = entries[key] else { return }
        guard entry.streams > 0 || entry.isChanged else {
            entries[key] = nil
            return
        }
        rewrites.append(Rewrite(key: key, due: now + ReplicaTimes.rewrite))
        // A changed count is among the writes of this round already, or in the next.
        if !entry.isChanged, !writes.contains(where: { $0.key == key }) { write(key, sequence, into: &writes) }
    }
}
