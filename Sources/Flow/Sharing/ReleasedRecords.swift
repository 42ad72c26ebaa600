/// The newest record of each key among those that a log no longer retains, so that a reader still gets a key whose records
/// are rare.
///
/// Bounded in records and memory; beyond that the oldest is removed.
///
/// - Complexity: Amortised O(1) to add and to remove, O(log records) to read.
struct ReleasedRecords: Sendable {
    private struct Entry {
        let number: Int
        let key: RecordKey
        let segment: LogSegment
    }

    private let retention: Retention
    /// By number; those that were replaced stay until there are many.
    private var entries = Ring<Entry>()
    /// The number of the record that is kept for each key.
    private var kept: [RecordKey: Int] = [:]
    /// The memory of the entries, about.
    private(set) var cost = 0

    init(retention: Retention) { self.retention = retention }

    /// A record leaves the log; it is newer than all before it.
    mutating func add(_ bytes: UnsafeRawBufferPointer, number: Int, key: RecordKey, arrived: Instant) {
        let segment = LogSegment(bytes, ends: [bytes.count], keys: [], eventIds: [], arrived: arrived)
        entries.append(Entry(number: number, key: key, segment: segment))
        kept[key] = number
        cost += segment.cost
        while kept.count > retention.records || cost > retention.bytes.bytes { removeOldest() }
    }

    /// A newer record of this key has arrived.
    mutating func remove(_ key: RecordKey) {
        guard kept.removeValue(forKey: key) != nil, entries.count > 2 * kept.count + 64 else { return }
        let all = entries
        (entries, cost) = (Ring(), 0)
        for position in all.startPosition..<all.endPosition where isKept(all[position]) {
            entries.append(all[position])
            cost += all[position].segment.cost
        }
    }

    mutating func removeAll() { self = ReleasedRecords(retention: retention) }

    /// The first record from a number on; `nil` if there is none before `limit`.
    func first(from number: Int, before limit: Int) -> (number: Int, segment: LogSegment)? {
        var (low, high) = (entries.startPosition, entries.endPosition)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number >= number { high = middle } else { low = middle + 1 }
        }
        while low < entries.endPosition, entries[low].number < limit {
            if isKept(entries[low]) { return (entries[low].number, entries[low].segment) }
            low += 1
        }
        return nil
    }

    private func isKept(_ entry: Entry) -> Bool { kept[entry.key] == entry.number }

    private mutating func removeOldest() {
        guard let oldest = entries.first else { return }
        if isKept(oldest) { kept[oldest.key] = nil }
        cost -= oldest.segment.cost
        entries.removeFirst()
    }
}
