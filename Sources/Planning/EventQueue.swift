/// Values in the order of their times; those of the same time in the order in which they were added.
package struct EventQueue<Event> {
    /// The heap moves only numbers: the values stay where they are.
    private var heap = SlotHeap()
    private var events: [Event?] = []
    private var freeSlots: [Int] = []

    package init() {}

    /// Adds a value at a time, in nanoseconds.
    package mutating func add(_ event: Event, at time: Int64) {
        let slot = freeSlots.popLast() ?? events.count
        if slot == events.count { events.append(event) } else { events[slot] = event }
        heap.add(slot, at: time)
    }

    /// The first value, with its time; `nil` if there is none.
    package mutating func removeFirst() -> (time: Int64, event: Event)? {
        guard let (time, slot) = heap.removeFirst(), let event = events[slot].take() else { return nil }
        freeSlots.append(slot)
        return (time, event)
    }
}
