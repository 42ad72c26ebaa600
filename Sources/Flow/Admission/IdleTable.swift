/// A value that is kept for a client only for a while.
package protocol Idling: Sendable {
    /// Whether a client with this value is treated like a new client, so that its entry may be removed.
    func isIdle(at now: Instant) -> Bool
}

/// One value for each client, kept while it makes a difference.
///
/// The caller calls ``sweep(at:)`` before it adds a client. That bounds the memory by the clients that matter now, not
/// by all clients ever seen, without a timer and without a call that takes long.
///
/// One client may be added after each sweep. With k entries visited by each sweep, a round that began with n clients, L
/// of them not idle, ends with at most n / (k - 1) + L: 2 would not converge, and 4 tends to 1.5 L.
///
/// An index of a client is valid until the next ``sweep(at:)``. Invariants (`IdleTableTests`):
/// 1. A client whose value is not idle is never removed.
/// 2. Every client has one index, and indices have no gaps.
///
/// - Complexity: O(1) for each call, except `updateAll` and an iteration over `values`.
package struct IdleTable<Key: Hashable & Sendable, Value: Idling>: Sendable {
    private struct Entry {
        let key: Key
        var value: Value
    }

    private static var sweptEntries: Int { 4 }

    /// Contiguous, so that the sweep can go round; `indices` has each client's index.
    private var entries: [Entry] = []
    private var indices: [Key: Int] = [:]
    private var sweepIndex = 0

    package init() {}

    /// Clients with an entry.
    package var count: Int { entries.count }

    /// The values of all clients, in no order.
    package var values: some Sequence<Value> { entries.lazy.map(\.value) }

    /// All clients with their values, in no order.
    var members: some Sequence<(key: Key, value: Value)> { entries.lazy.map { ($0.key, $0.value) } }

    /// The index of a client's entry; `nil` if it has none.
    package func index(of key: Key) -> Int? { indices[key] }

    package subscript(index: Int) -> Value {
        get { entries[index].value }
        _modify { yield &entries[index].value }
    }

    /// Adds an entry for a client that has none, and returns its index.
    package mutating func append(_ value: Value, for key: Key) -> Int {
        let index = entries.count, previous = indices.updateValue(index, forKey: key)
        precondition(previous == nil, "a client has one entry")
        entries.append(Entry(key: key, value: value))
        return index
    }

    /// Visits the next four clients, and removes those that are idle.
    package mutating func sweep(at now: Instant) {
        for _ in 0..<min(Self.sweptEntries, entries.count) {
            if sweepIndex >= entries.count { sweepIndex = 0 }
            if entries[sweepIndex].value.isIdle(at: now) {
                remove(at: sweepIndex)
            } else {
                sweepIndex += 1
            }
        }
    }

    /// Changes every value: for an operator's command, or after a reload.
    package mutating func updateAll(_ change: (inout Value) -> Void) {
        for index in entries.indices { change(&entries[index].value) }
    }

    /// Removes an entry; the last one takes its index.
    private mutating func remove(at index: Int) {
        entries.swapAt(index, entries.count - 1)
        let removed = entries.removeLast()
        indices[removed.key] = nil
        if index < entries.count { indices[entries[index].key] = index }
    }
}
