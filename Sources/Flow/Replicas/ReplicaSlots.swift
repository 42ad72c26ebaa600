/// The open streams of this replica under each shared limit, and which counts the store must be sent when.
///
/// A replica writes its absolute counts: when they change, and again every five seconds. State that was lost on the way,
/// in a restart or in a fail-over is corrected by the next write, whereas counters that are incremented and decremented
/// would keep every error.
///
/// Invariants (`ReplicaSlotsTests`):
/// 1. A count that changed other than by an admitted start is in the next writes, or in an admitted start before them.
/// 2. Every count above zero is written again within the rewrite time, and every zero once.
/// 3. Without an open stream there is no entry after the rewrite time, or after the time to live if the store is not used.
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
        /// In the order in which the entries were made.
        let number: Int64
        private(set) var streams = 0
        /// Whether the store has to be sent the count, and `changed` has the key.
        private(set) var isChanged = false
        /// Whether it had to be before a start whose command carries it, and has to be again if the store refuses the start.
        private var isCarried = false
        /// The last command that carried the count.
        private var sequence: Int64 = 0
        /// Whether `rewrites` has the key.
        var isRewritten = false
        /// Whether other replicas may refuse starts because of the count, as far as this one knows.
        private(set) var isScarce = true

        init(number: Int64) { self.number = number }

        /// Whether the store may have another count than zero.
        var isAtStore: Bool { sequence > 0 }

        /// A stream is added; a command that carries the count carries the changes before it as well.
        ///
        /// - Returns: The streams, whether the key is missing in `rewrites`, and how many counts more have to be written for that.
        mutating func opened(by command: Int64?) -> (streams: Int, isNew: Bool, changes: Int) {
            let isNew = !isRewritten
            streams += 1
            guard let command else { return (streams, isNew, change() ? 1 : 0) }
            sequence = command
            guard isChanged else { return (streams, isNew, 0) }
            (isChanged, isCarried) = (false, true)
            return (streams, isNew, -1)
        }

        /// - Returns: Whether the count has to be written for that, and whether soon.
        mutating func closed() -> (mustWrite: Bool, isScarce: Bool) {
            precondition(streams > 0, "the end of a stream that was not opened")
            streams -= 1
            return (change(), isScarce)
        }

        /// - Returns: The streams.
        mutating func admitted(by command: Int64, others: Int, limit: Int) -> Int {
            if sequence == command { isCarried = false }
            isScarce = others >= limit / 2 - streams
            return streams
        }

        /// - Returns: Whether the count has to be written for that.
        mutating func refused(by command: Int64) -> Bool {
            precondition(streams > 0, "a refusal of a stream that was not opened")
            streams -= 1
            isScarce = true
            return sequence != command || isCarried ? change() : false
        }

        /// - Returns: Whether it had not changed before.
        mutating func change() -> Bool {
            defer { isChanged = true }
            return !isChanged
        }

        mutating func written(by command: Int64) { (isChanged, isCarried, sequence) = (false, false, command) }

        /// Nothing is to be written, and no list has the key.
        mutating func forgetWrites() { (isChanged, isCarried, isRewritten) = (false, false, false) }

        /// The store has removed what it had.
        mutating func expired() { sequence = 0 }
    }

    private struct Rewrite {
        let key: StoreKey
        let due: Instant
    }

    private var entries: [StoreKey: Entry] = [:]
    private var openings: Int64 = 0
    /// The keys whose counts have to be written, and perhaps some that a start has carried since.
    private var changed: [StoreKey] = []
    private var changes = 0
    /// When the first of them has to be written.
    private var changesDue = Instant.distantFuture
    /// Every key once, in the order of their times.
    private var rewrites = Ring<Rewrite>()
    private var lastChanges = Instant.distantPast
    /// When the store has removed the counts; `nil` while it is used.
    private var expiry: Instant?

    package init() {}

    private var isStoreUsed: Bool { expiry == nil }

    package var knownKeys: Int { entries.count }

    package func streams(of key: StoreKey) -> Int { entries[key]?.streams ?? 0 }

    /// A stream is about to be asked for; it counts until ``closed(_:at:)`` or ``refused(_:sequence:at:)``.
    ///
    /// - Parameters:
    ///   - key: The limit's key.
    ///   - sequence: Of the command that carries the count; `nil` if the start was decided without the store.
    ///   - now: The time.
    /// - Returns: The streams, this one included.
    package mutating func opened(_ key: StoreKey, sequence: Int64?, at now: Instant) -> Int {
        openings += 1
        let number = openings
        let (streams, isNew, changes) = entries[key, default: Entry(number: number)].opened(by: sequence)
        guard isStoreUsed else { return streams }
        if isNew { addRewrite(of: key, at: now) }
        if changes > 0 { add(key) }
        if changes < 0 { removeChange() }
        if sequence == nil { hurry(to: now) }
        return streams
    }

    /// A stream has ended.
    ///
    /// Its count is written soon if another replica may refuse a start because of it, and else later: a start may carry it.
    package mutating func closed(_ key: StoreKey, at now: Instant) {
        guard let (mustWrite, isScarce) = withEntry(key, { $0.closed() }) else {
            preconditionFailure("the end of an unknown stream")
        }
        wasReduced(key, mustWrite: mustWrite, due: isScarce ? now : now + ReplicaTimes.longestEnd)
    }

    /// The store has admitted a start, and has the count that its command has carried.
    ///
    /// - Returns: The streams now, those of the `others` not included.
    package mutating func admitted(_ key: StoreKey, sequence: Int64, others: Int, limit: Int) -> Int {
        withEntry(key) { $0.admitted(by: sequence, others: others, limit: limit) } ?? 0
    }

    /// The store has refused the start, and not taken its count; another command may have carried it meanwhile.
    package mutating func refused(_ key: StoreKey, sequence: Int64, at now: Instant) {
        guard let mustWrite = withEntry(key, { $0.refused(by: sequence) }) else {
            preconditionFailure("a refusal of an unknown stream")
        }
        wasReduced(key, mustWrite: mustWrite, due: now)
    }

    /// Changes an entry where it is: the table's subscript would allocate three times for that.
    private mutating func withEntry<Result>(_ key: StoreKey, _ change: (inout Entry) -> Result) -> Result? {
        guard let index = entries.index(forKey: key) else { return nil }
        return change(&entries.values[index])
    }

    private mutating func wasReduced(_ key: StoreKey, mustWrite: Bool, due: Instant) {
        guard isStoreUsed else { return removeIfIdle(key) }
        if mustWrite { add(key) }
        hurry(to: due)
    }

    /// It is not known whether the store has the count: a command that carried it failed.
    package mutating func isUnknown(_ key: StoreKey, at now: Instant) {
        if isStoreUsed { change(key, at: now) }
    }

    // MARK: Without the store

    /// The store is not used from now on: nothing is written, and what it has expires.
    package mutating func storeLost(at now: Instant) {
        guard isStoreUsed else { return }
        expiry = now + ReplicaTimes.timeToLive
        (changed, changes, changesDue, rewrites) = ([], 0, .distantFuture, Ring())
        for key in Array(entries.keys) {
            entries[key]?.forgetWrites()
            removeIfIdle(key)
        }
    }

    /// Forgets what the store has removed; to be called at least once in each rewrite time while the store is not used.
    package mutating func expire(at now: Instant) {
        guard let expiry, now >= expiry else { return }
        self.expiry = .distantFuture
        for key in Array(entries.keys) {
            entries[key]?.expired()
            removeIfIdle(key)
        }
    }

    /// The store may have lost everything, or is used again: all is written.
    package mutating func allUnknown(at now: Instant) {
        let isBack = !isStoreUsed
        expiry = nil
        // The order of the table's keys is another one in each process.
        for (key, _) in entries.sorted(by: { $0.value.number < $1.value.number }) {
            if isBack {
                entries[key]?.forgetWrites()
                addRewrite(of: key, at: now)
            }
            change(key, at: now)
        }
    }

    /// Removes an entry without streams of which the store has nothing.
    private mutating func removeIfIdle(_ key: StoreKey) {
        if let entry = entries[key], entry.streams == 0, !entry.isAtStore { entries[key] = nil }
    }

    private mutating func addRewrite(of key: StoreKey, at now: Instant) {
        entries[key]?.isRewritten = true
        rewrites.append(Rewrite(key: key, due: now + ReplicaTimes.rewrite))
    }

    // MARK: Writes

    /// Takes the counts that have to be written now, at most `limit`.
    package mutating func takeWrites(upTo limit: Int, sequence: Int64, at now: Instant) -> [Count] {
        var writes: [Count] = []
        if let due = nextChanges, now >= due {
            while writes.count < limit, let key = changed.popLast() { writeChange(of: key, sequence, into: &writes) }
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
        let change = nextChanges
        guard let rewrite = rewrites.first?.due else { return change }
        return min(rewrite, change ?? rewrite)
    }

    /// When the changed counts are to be written; `nil` if there are none.
    private var nextChanges: Instant? {
        changes == 0 ? nil : max(changesDue, lastChanges + ReplicaTimes.writePause)
    }

    private mutating func change(_ key: StoreKey, at now: Instant) {
        if entries[key]?.change() == true { add(key) }
        hurry(to: now)
    }

    private mutating func add(_ key: StoreKey) {
        changed.append(key)
        changes += 1
    }

    private mutating func hurry(to due: Instant) {
        if changes > 0 { changesDue = min(changesDue, due) }
    }

    private mutating func removeChange() {
        changes -= 1
        guard changes == 0 else { return }
        changed.removeAll(keepingCapacity: true)
        changesDue = .distantFuture
    }

    private mutating func writeChange(of key: StoreKey, _ sequence: Int64, into writes: inout [Count]) {
        guard entries[key]?.isChanged == true else { return }
        removeChange()
        write(key, sequence, into: &writes)
    }

    private mutating func write(_ key: StoreKey, _ sequence: Int64, into writes: inout [Count]) {
        guard let streams = entries[key]?.streams else { return }
        entries[key]?.written(by: sequence)
        writes.append(Count(key: key, streams: streams))
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
