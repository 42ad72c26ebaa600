/// Records in one block of memory, any of which may be removed before its turn.
///
///     │ records, some of them removed │ blank │ gap │ rest: bytes that are not yet searched │
///
/// A record that is removed from the middle leaves its bytes until ``compact()``; removed records at the front are
/// freed at once. The gap is the bytes that were skipped while a chunk was searched; ``closeGap()`` moves the rest over
/// it.
///
/// - Complexity: O(1) for each call unless stated otherwise, and a move of the record's own bytes after a gap.
struct RecordStore: ~Copyable {
    struct Entry {
        /// The number of the record in the stream.
        var number: Int
        /// Its length, with the blank bytes before it.
        var bytes: Int
        var key: RecordKey?
        var isRemoved = false
    }

    private(set) var entries = Ring<Entry>()
    private(set) var blankBytes = 0
    private(set) var removedRecords = 0
    private(set) var removedBytes = 0
    private var content = ByteQueue()
    private var entryBytes = 0
    private var gap = 0

    init() {}

    var records: Int { entries.count - removedRecords }
    /// Bytes of whole records, with the blank bytes before them.
    var recordBytes: Int { entryBytes - removedBytes }
    /// All bytes that will be sent or are not yet searched.
    var bytes: Int { content.count - removedBytes - gap }
    /// All bytes in memory, those of removed records included.
    var storedBytes: Int { content.count }

    // MARK: At the end

    /// The bytes that are not yet searched; valid until the next call that changes the store.
    var rest: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: content.bytes[(entryBytes + blankBytes + gap)...])
    }

    mutating func append(_ chunk: UnsafeRawBufferPointer) { content.append(chunk) }

    /// The front of the rest is a record of this length.
    mutating func keepRecord(_ length: Int, number: Int, key: RecordKey?) {
        fillGap(length)
        entries.append(Entry(number: number, bytes: blankBytes + length, key: key))
        entryBytes += blankBytes + length
        blankBytes = 0
    }

    /// The front of the rest is blank.
    mutating func keepBlank(_ length: Int) {
        fillGap(length)
        blankBytes += length
    }

    /// Removes this many bytes at the front of the rest, and the blank bytes before them.
    mutating func skip(_ length: Int) {
        gap += blankBytes + length
        blankBytes = 0
    }

    mutating func closeGap() {
        let start = entryBytes + blankBytes
        content.move(start + gap..<content.count, to: start)
        content.removeLast(gap)
        gap = 0
    }

    mutating func removeRest() {
        content.removeLast(content.count - entryBytes - blankBytes)
        gap = 0
    }

    /// Removes this many bytes at the end of the rest, which belong to the chunk that is still being read.
    mutating func removeLast(_ count: Int) { content.removeLast(count) }

    private mutating func fillGap(_ length: Int) {
        let start = entryBytes + blankBytes
        content.move(start + gap..<start + gap + length, to: start)
    }

    // MARK: Removal

    /// Removes the oldest record; there must be one.
    mutating func removeOldest() {
        guard let oldest = entries.first else { preconditionFailure("a record is removed where there is none") }
        content.removeFirst(oldest.bytes)
        entryBytes -= oldest.bytes
        entries.removeFirst()
        dropRemovedAtFront()
    }

    /// Removes this many of the newest records; none of them may be removed already.
    ///
    /// - Returns: The number of their bytes.
    /// - Complexity: One move of the bytes after them.
    mutating func removeNewest(_ count: Int) -> Int {
        var removed = 0
        for _ in 0..<count {
            removed += entries.last?.bytes ?? 0
            entries.removeLast()
        }
        content.move(entryBytes..<content.count, to: entryBytes - removed)
        content.removeLast(removed)
        entryBytes -= removed
        return removed
    }

    /// Removes the record at this position; it must exist.
    mutating func remove(at position: Int) {
        entries[position].isRemoved = true
        removedRecords += 1
        removedBytes += entries[position].bytes
        dropRemovedAtFront()
    }

    private mutating func dropRemovedAtFront() {
        while let first = entries.first, first.isRemoved {
            content.removeFirst(first.bytes)
            entryBytes -= first.bytes
            removedBytes -= first.bytes
            removedRecords -= 1
            entries.removeFirst()
        }
    }

    /// Frees the bytes of removed records; every record gets another position.
    ///
    /// - Complexity: O(all buffered bytes).
    mutating func compact() {
        var kept = Ring<Entry>()
        var (from, to) = (0, 0)
        for position in entries.startPosition..<entries.endPosition {
            let entry = entries[position]
            if !entry.isRemoved {
                content.move(from..<from + entry.bytes, to: to)
                kept.append(entry)
                to += entry.bytes
            }
            from += entry.bytes
        }
        content.move(from..<content.count, to: to)
        content.removeLast(from - to)
        entries = kept
        (entryBytes, removedBytes, removedRecords) = (to, 0, 0)
    }

    // MARK: At the front

    /// Passes on blank bytes that have no record before them.
    ///
    /// - Parameters:
    ///   - framer: Finds where they may be cut.
    ///   - limit: The maximum number of bytes.
    ///   - isFirst: Whether one piece may be larger, because nothing else is sent with it.
    ///   - sink: Receives the bytes.
    /// - Returns: The number of bytes sent.
    mutating func takeBlank(
        framer: RecordFramer, limit: Int, isFirst: Bool, sink: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        guard entries.isEmpty, blankBytes > 0, limit > 0 else { return 0 }
        let blank = content.bytes.first(blankBytes)
        var taken = blankBytes
        if taken > limit {
            // Nothing that short is a record that is too long.
            var progress = RecordFramer.Progress()
            let most = ByteCount(blankBytes)
            taken = (try? framer.run(in: blank.first(limit), from: &progress, upTo: 0, maximum: most))?.bytes ?? 0
            if taken == 0, isFirst {
                let first = (try? framer.first(in: blank, from: &progress, maximum: most))?.bytes ?? 0
                taken = first > 0 ? first : blankBytes
            }
        }
        guard taken > 0 else { return 0 }
        sink(blank.first(taken))
        content.removeFirst(taken)
        blankBytes -= taken
        return taken
    }

    /// Passes on the first records, and if those are all, the blank bytes after them.
    ///
    /// - Parameters:
    ///   - credit: The maximum number of records.
    ///   - limit: The maximum number of bytes, or `nil` for one record of any length alone.
    ///   - isWhole: Whether to stop before a record whose number does not follow that of the previous one.
    ///   - takesBlank: Whether blank bytes after the last record may be sent with it.
    ///   - sink: Receives their bytes, in one piece or in several.
    /// - Returns: The run that was sent, and the number after that of the last record.
    mutating func take(
        credit: Int, limit: Int?, isWhole: Bool, takesBlank: Bool, sink: (UnsafeRawBufferPointer) -> Void
    ) -> (run: RecordFramer.Run, next: Int) {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        let (isOne, credit) = (limit == nil, limit == nil ? min(credit, 1) : credit)
        let limit = limit ?? .max
        var (from, to) = (0, 0)
        var number = entries.first?.number ?? 0
        for position in entries.startPosition..<entries.endPosition {
            let entry = entries[position]
            if entry.isRemoved {
                pass(from..<to, to: sink)
                to += entry.bytes
                from = to
                continue
            }
            guard run.records < credit, entry.bytes <= limit - run.bytes, !isWhole || entry.number == number else {
                break
            }
            run.records += 1
            run.bytes += entry.bytes
            to += entry.bytes
            number = entry.number + 1
        }
        let areAll = takesBlank && !isOne && run.records > 0 && run.records == records
        let blank = areAll && blankBytes <= limit - run.bytes ? blankBytes : 0
        pass(from..<to + blank, to: sink)
        run.bytes += blank
        removeFirst(run, blank: blank)
        return (run, number)
    }

    private func pass(_ range: Range<Int>, to sink: (UnsafeRawBufferPointer) -> Void) {
        guard !range.isEmpty else { return }
        sink(UnsafeRawBufferPointer(rebasing: content.bytes[range]))
    }

    private mutating func removeFirst(_ run: RecordFramer.Run, blank: Int) {
        for _ in 0..<run.records { removeOldest() }
        content.removeFirst(blank)
        blankBytes -= blank
    }

    /// Inserts records before all others, none of which may be removed.
    ///
    /// Blank bytes at their end are added to the first of the others.
    ///
    /// - Parameters:
    ///   - bytes: Their bytes.
    ///   - restored: One entry for each, in order.
    /// - Complexity: O(all buffered bytes); every record gets another position.
    mutating func prepend(_ bytes: UnsafeRawBufferPointer, _ restored: [Entry]) {
        content.prepend(bytes)
        var all = Ring<Entry>()
        for entry in restored { all.append(entry) }
        var trailing = bytes.count - restored.reduce(0) { $0 + $1.bytes }
        for position in entries.startPosition..<entries.endPosition {
            var entry = entries[position]
            entry.bytes += trailing
            trailing = 0
            all.append(entry)
        }
        blankBytes += trailing
        entryBytes += bytes.count - trailing
        entries = all
    }
}
