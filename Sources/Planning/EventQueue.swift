/// Values in the order of their times; those of the same time in the order in which they were added.
package struct EventQueue<Event> {
    /// The heap moves only numbers: the values stay where they are.
    private struct Entry {
        let time: Int64
        let order: Int
        let slot: Int

        func isBefore(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
    }

    /// A binary heap.
    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var freeSlots: [Int] = []
    private var added = 0

    package init() {}

    /// Adds a value at a time, in nanoseconds.
    package mutating func add(_ event: Event, at time: Int64) {
        let slot = freeSlots.popLast() ?? events.count
        if slot == events.count { events.append(event) } else { events[slot] = event }
        heap.append(Entry(time: time, order: added, slot: slot))
        added += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The first value, with its time; `nil` if there is none.
    package mutating func removeFirst() -> (time: Int64, event: Event)? {
        guard let first = heap.first, let event = events[first.slot] else { return nil }
        events[first.slot] = nil
        freeSlots.append(first.slot)
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1, right = left + 1
            if left < heap.count, heap[left].isBefore(heap[least]) { least = left }
            if right < heap.count, heap[right].isBefore(heap[least]) { least = right }
            guard least != parent else { return (first.time, event) }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
