/// The position of the queued record of each key.
///
/// It holds positions in a ``RecordStore``, and is not notified when a record is sent: a position before the store's
/// first is of a record that was sent. ``prune(_:)`` removes those, so it holds at most twice the queued records.
///
/// - Complexity: Amortised O(1) for each record.
struct KeyIndex {
    private var positions: [RecordKey: Int] = [:]

    /// The position of the queued record of this key; `nil` if there is none.
    func position(of key: RecordKey, in entries: Ring<RecordStore.Entry>) -> Int? {
        positions[key].flatMap { $0 >= entries.startPosition ? $0 : nil }
    }

    /// The record of this key is queued at this position.
    mutating func queued(_ key: RecordKey, at position: Int) { positions[key] = position }

    /// Removes records that were sent, if there are many.
    mutating func prune(_ entries: Ring<RecordStore.Entry>) {
        if entries.isEmpty || positions.count > 2 * entries.count + 16 { rebuild(entries) }
    }

    /// Reads all records again, after every one got another position.
    ///
    /// - Returns: The positions of those that a newer one of their key supersedes, in order.
    @discardableResult
    mutating func rebuild(_ entries: Ring<RecordStore.Entry>) -> [Int] {
        positions = [:]
        var superseded: [Int] = []
        for position in entries.startPosition..<entries.endPosition {
            guard !entries[position].isRemoved, let key = entries[position].key else { continue }
            if let older = positions.updateValue(position, forKey: key) { superseded.append(older) }
        }
        return superseded.sorted()
    }
}
