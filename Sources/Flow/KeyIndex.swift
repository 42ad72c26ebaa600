/// Which of the queued records have been superseded by a newer one of their key.
///
/// It speaks of places in a ``RecordStore``, and is never told that a record left: a place in front of the store's first
/// is one that left. What has piled up of those goes at ``prune(_:)``, so it holds at most twice what is queued.
///
/// - Complexity: Amortised O(1) for each record.
struct KeyIndex {
    private var newest: [RecordKey: Int] = [:]
    private var superseded: [Int] = []

    /// A record of this key comes: the one that was the newest so far is superseded.
    mutating func arrived(_ key: RecordKey, in entries: Ring<RecordStore.Entry>) {
        guard let place = newest[key], place >= entries.startPlace else { return }
        superseded.append(place)
    }

    /// The record of this key is queued at this place.
    mutating func queued(_ key: RecordKey, at place: Int) { newest[key] = place }

    /// The next superseded record that is still queued, told once.
    mutating func nextSuperseded(in entries: Ring<RecordStore.Entry>) -> Int? {
        while let place = superseded.popLast() {
            if place >= entries.startPlace { return place }
        }
        return nil
    }

    /// Forgets records that left, where many did.
    mutating func prune(_ entries: Ring<RecordStore.Entry>) {
        let most = 2 * entries.count + 16
        if entries.isEmpty || newest.count > most || superseded.count > most { rebuild(entries) }
    }

    /// Every record got another place.
    mutating func rebuild(_ entries: Ring<RecordStore.Entry>) {
        (newest, superseded) = ([:], [])
        for place in entries.startPlace..<entries.endPlace {
            guard !entries[place].isGone, let key = entries[place].key else { continue }
            arrived(key, in: entries)
            queued(key, at: place)
        }
    }
}
