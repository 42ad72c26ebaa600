/// Records that come back, because the client never received them.
extension DroppingQueue {
    /// Puts records in front that were handed over and not received; where they do not fit, some go as `overflow` says.
    ///
    /// They count as handed over last and without a loss between them, so that no loss is told twice.
    ///
    /// - Parameters:
    ///   - bytes: Whole records, with the blank lines among them; the last may lack its newline where the stream's did.
    ///   - records: How many those are.
    /// - Complexity: O(all that is queued).
    package mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int) {
        guard !bytes.isEmpty else { return }
        if store.goneRecords > 0 { store.compact() }
        expected -= records
        let restored = entries(of: bytes)
        precondition(restored.count == records, "what is put back is as many records as it is said to be")
        store.prepend(bytes, restored)
        if keys != nil { index.rebuild(store.entries) }
        peak = max(peak, store.records)
        dropBeyondBounds()
    }

    /// Looks through records that come back; blank lines behind the last are part of none.
    private func entries(of bytes: UnsafeRawBufferPointer) -> [RecordStore.Entry] {
        var found: [RecordStore.Entry] = []
        var (start, blank) = (0, 0)
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            // They were not too long when they came first.
            let first = try? framer.first(in: rest, maximum: ByteCount(rest.count))
            let isBlank = first.map { $0.records == 0 && $0.bytes > 0 } ?? false
            let length = first.map { $0.bytes > 0 ? $0.bytes : rest.count } ?? rest.count
            start += length
            guard !isBlank else {
                blank += length
                continue
            }
            let record = UnsafeRawBufferPointer(rebasing: rest[..<length])
            found.append(
                .init(number: expected + found.count, bytes: blank + length, key: keys?.key(of: record)))
            blank = 0
        }
        return found
    }
}
