/// Where the queued record of each key is.
///
/// It holds places in a ``RecordStore``, and is not notified when a record leaves: a place before the store's first is of
/// a record that left. ``prune(_:)`` removes those, so it holds at most twice what is queued.
///
/// - Complexity: Amortised O(1) for each record.
struct KeyIndex {
    private var places: [RecordKey: Int] = [:]

    /// The place of the queued record of this key; `nil` if there is none.
    func place(of key: RecordKey, in entries: Ring<RecordStore.Entry>) -> Int? {
        places[key].flatMap { $0 >= entries.startPlace ? $0 : nil }
    }

    /// The record of this key is queued at this place.
    mutating func queued(_ key: RecordKey, at place: Int) { places[key] = place }

    /// Forgets records that left, where many did.
    mutating func prune(_ entries: Ring<RecordStore.Entry>) {
        if entries.isEmpty || places.count > 2 * entries.count + 16 { rebuild(entries) }
    }

    /// Reads all records anew, since every one got another place.
    ///
    /// - Returns: The places of those that a newer one of their key supersedes, in order.
    @discardableResult
    mutating func rebuild(_ entries: Ring<RecordStore.Entry>) -> [Int] {
        places = [:]
        var superseded: [Int] = []
        for place in entries.startPlace..<entries.endPlace {
            guard !entries[place].isGone, let key = entries[place].key else { continue }
            if let older = places.updateValue(place, forKey: key) { superseded.append(older) }
        }
        return superseded.sorted()
    }
}
