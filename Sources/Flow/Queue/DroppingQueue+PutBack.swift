/// Returns records to the queue that the client did not receive.
extension DroppingQueue {
    /// Inserts records before the first that were passed on and not received; if they do not fit, some are dropped as
    /// `overflow` says.
    ///
    /// They count as the last ones passed on, without a loss between them, so that no loss is reported twice.
    ///
    /// - Parameters:
    ///   - bytes: Whole records, with the blank bytes between them; the last may lack its end if the stream's did.
    ///   - records: The number of those records.
    /// - Complexity: O(all that is queued).
    package mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int) {
        guard !bytes.isEmpty else { return }
        if store.removedRecords > 0 { store.compact() }
        expected -= records
        var restored = entries(of: bytes)
        // Fewer, if a broken text of a sequence is now before another text than the one that cut it off: the records it
        // swallows count as lost. If there were more, the first ones would have numbers that were passed on before,
        // which is no loss.
        for index in restored.indices { restored[index].number += records - restored.count }
        store.prepend(bytes, restored)
        if overflow == .latest { dropSuperseded() }
        peak = max(peak, store.records)
        dropBeyondBounds()
    }

    /// Finds the entries of returned records; blank bytes after the last one belong to none.
    private func entries(of bytes: UnsafeRawBufferPointer) -> [RecordStore.Entry] {
        var found: [RecordStore.Entry] = []
        var (start, blank) = (0, 0)
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            // They were not too long when they arrived.
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
