/// Records that come back, because the client never received them.
extension DroppingQueue {
    /// Puts records in front that were handed over and not received; where they do not fit, some go as `overflow` says.
    ///
    /// They count as handed over last and without a loss between them, so that no loss is told twice.
    ///
    /// - Parameters:
    ///   - bytes: Whole records, with what is blank among them; the last may lack its end where the stream's did.
    ///   - records: How many those are.
    /// - Complexity: O(all that is queued).
    package mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int) {
        guard !bytes.isEmpty else { return }
        if store.goneRecords > 0 { store.compact() }
        expected -= records
        var restored = entries(of: bytes)
        // Fewer, where a broken text of a sequence now stands in front of another than the one that cut it off: what that
        // swallows counts as lost. Were there ever more, the first ones would have numbers that were handed over before, which
        // is no loss.
        for place in restored.indices { restored[place].number += records - restored.count }
        store.prepend(bytes, restored)
        if overflow == .latest { dropSuperseded() }
        peak = max(peak, store.records)
        dropBeyondBounds()
    }

    /// Looks through records that come back; what is blank behind the last is part of none.
    private func entries(of bytes: UnsafeRawBufferPointer) -> [RecordStore.Entry] {
        var found: [RecordStore.Entry] = []
        var (start, blank) = (0, 0)
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            // They were not too long when they came first.
            let whole = try? framer.first(in: rest, maximum: ByteCount(rest.count))
            let first = whole.flatMap { $0.bytes > 0 ? $0 : nil } ?? framer.last(in: rest)
            start += first.bytes
            guard first.records > 0 else {
                blank += first.bytes
                continue
            }
            let key = keys?.key(of: rest.first(first.bytes))
            found.append(.init(number: expected + found.count, bytes: blank + first.bytes, key: key))
            blank = 0
        }
        return found
    }
}
