/// The slots of an ``EventQueue`` in the order of their times: a binary heap of numbers.
///
/// A type of its own, because a queue of another module's events is not specialised for them: in generic code, each
/// access to an element looks its type up.
struct SlotHeap {
    private struct Entry {
        let time: Int64
        let order: Int
        let slot: Int

        func isBefore(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
    }

    private var entries: [Entry] = []
    private var added = 0

    /// Adds a slot after all others of the same time.
    ///
    /// - Complexity: O(log `count`), as ``removeFirst()``.
    mutating func add(_ slot: Int, at time: Int64) {
        let entry = Entry(time: time, order: added, slot: slot)
        added += 1
        entries.append(entry)
        var child = entries.count - 1
        while child > 0, entry.isBefore(entries[(child - 1) / 2]) {
            entries[child] = entries[(child - 1) / 2]
            child = (child - 1) / 2
        }
        entries[child] = entry
    }

    /// The first slot, with its time; `nil` if there is none.
    mutating func removeFirst() -> (time: Int64, slot: Int)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty { place(last) }
        return (first.time, first.slot)
    }

    /// Puts an entry in the place of the first one, or below.
    private mutating func place(_ entry: Entry) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child + 1 < entries.count, entries[child + 1].isBefore(entries[child]) { child += 1 }
            guard child < entries.count, entries[child].isBefore(entry) else { break }
            entries[parent] = entries[child]
            parent = child
        }
        entries[parent] = entry
    }
}
