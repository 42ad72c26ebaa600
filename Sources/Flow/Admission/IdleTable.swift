/// A value that is worth remembering only for a while.
package protocol Idling: Sendable {
    /// Whether a client with this value would be treated like a newcomer, so that it may be forgotten.
    func isIdle(at now: Instant) -> Bool
}

/// What is known of each client, for as long as it makes a difference.
///
/// Whoever adds a client calls ``sweep(at:)`` before it, so that the memory follows the clients that matter now, not all
/// that ever came, without a timer and without a call that takes long.
///
/// Each sweep may be followed by one client more. With k looks at each, a round that began with n clients, L of them
/// not to be forgotten, ends with at most n / (k - 1) + L: 2 would not converge, and 4 tends to 1.5 L.
///
/// A *place* is where a client stands until the next ``sweep(at:)``. Invariants (`IdleTableTests`):
/// 1. A client whose value is not idle is never forgotten.
/// 2. Every client has one place, and places have no gaps.
///
/// - Complexity: O(1) for each call, but for `updateAll` and a walk over `values`.
package struct IdleTable<Value: Idling>: Sendable {
    private struct Entry {
        let key: ClientKey
        var value: Value
    }

    private static var looks: Int { 4 }

    /// Side by side without gaps, so that the sweep can go round them; `places` says where a client stands.
    private var entries: [Entry] = []
    private var places: [ClientKey: Int] = [:]
    private var sweepPlace = 0

    package init() {}

    /// Clients that are remembered.
    package var count: Int { entries.count }

    /// What is known of every client, in no order.
    package var values: some Sequence<Value> { entries.lazy.map(\.value) }

    /// Every client with what is known of it, in no order.
    var members: some Sequence<(key: ClientKey, value: Value)> { entries.lazy.map { ($0.key, $0.value) } }

    package func place(of key: ClientKey) -> Int? { places[key] }

    package subscript(place: Int) -> Value {
        get { entries[place].value }
        _modify { yield &entries[place].value }
    }

    /// Remembers a client that has no place yet, and tells the one that it gets.
    package mutating func append(_ value: Value, for key: ClientKey) -> Int {
        precondition(places[key] == nil, "a client has one place")
        entries.append(Entry(key: key, value: value))
        places[key] = entries.count - 1
        return entries.count - 1
    }

    /// Looks at the next four clients, and forgets those that are idle.
    package mutating func sweep(at now: Instant) {
        for _ in 0..<min(Self.looks, entries.count) {
            if sweepPlace >= entries.count { sweepPlace = 0 }
            if entries[sweepPlace].value.isIdle(at: now) {
                forget(at: sweepPlace)
            } else {
                sweepPlace += 1
            }
        }
    }

    /// Changes every value: for an operator, or after a reload.
    package mutating func updateAll(_ change: (inout Value) -> Void) {
        for place in entries.indices { change(&entries[place].value) }
    }

    /// The last client takes the place of the forgotten one.
    private mutating func forget(at place: Int) {
        entries.swapAt(place, entries.count - 1)
        let forgotten = entries.removeLast()
        places[forgotten.key] = nil
        if place < entries.count { places[entries[place].key] = place }
    }
}
