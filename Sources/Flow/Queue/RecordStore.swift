/// Records side by side in one piece of memory, any of which may go before its turn.
///
///     │ records, some of them gone │ blank │ gap │ rest: bytes that are not yet looked at │
///
/// A record that goes from the middle leaves its bytes behind until ``compact()``; at the front nothing that is gone
/// stays. The gap is what was left out while a chunk was looked through; ``closeGap()`` moves the rest over it.
///
/// - Complexity: O(1) for each call that says nothing else, and a move of the record's own bytes behind a gap.
struct RecordStore: ~Copyable {
    struct Entry {
        /// Which record of the stream it is.
        var number: Int
        /// Its length, with what is blank in front of it.
        var bytes: Int
        var key: RecordKey?
        var isGone = false
    }

    private(set) var entries = Ring<Entry>()
    private(set) var blankBytes = 0
    private(set) var goneRecords = 0
    private(set) var goneBytes = 0
    private var content = ByteQueue()
    private var entryBytes = 0
    private var gap = 0

    init() {}

    var records: Int { entries.count - goneRecords }
    /// Of whole records, with what is blank in front of them.
    var recordBytes: Int { entryBytes - goneBytes }
    /// All bytes that will leave or are still to be looked at.
    var bytes: Int { content.count - goneBytes - gap }
    /// All bytes that are held, those of records that are gone included.
    var heldBytes: Int { content.count }

    // MARK: At the end

    /// What is not yet looked at; valid until the next call that changes the store.
    var rest: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: content.bytes[(entryBytes + blankBytes + gap)...])
    }

    mutating func append(_ chunk: UnsafeRawBufferPointer) { content.append(chunk) }

    /// The front of the rest is a record of so many bytes.
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

    /// So many bytes at the front of the rest go, and what is blank in front of them.
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

    /// So many bytes at the end of the rest go, which are not taken in yet.
    mutating func removeLast(_ count: Int) { content.removeLast(count) }

    private mutating func fillGap(_ length: Int) {
        let start = entryBytes + blankBytes
        content.move(start + gap..<start + gap + length, to: start)
    }

    // MARK: Records that go

    /// The oldest goes; there must be one.
    mutating func removeOldest() {
        guard let oldest = entries.first else { preconditionFailure("a record is removed where there is none") }
        content.removeFirst(oldest.bytes)
        entryBytes -= oldest.bytes
        entries.removeFirst()
        dropGoneAtFront()
    }

    /// So many of the newest go; none of them may be gone already.
    ///
    /// - Returns: How many bytes they had.
    /// - Complexity: One move of what stands behind them.
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

    /// The one at this place goes; it must be there.
    mutating func remove(at place: Int) {
        entries[place].isGone = true
        goneRecords += 1
        goneBytes += entries[place].bytes
        dropGoneAtFront()
    }

    private mutating func dropGoneAtFront() {
        while let first = entries.first, first.isGone {
            content.removeFirst(first.bytes)
            entryBytes -= first.bytes
            goneBytes -= first.bytes
            goneRecords -= 1
            entries.removeFirst()
        }
    }

    /// Gives back what records that are gone have left behind; every record gets another place.
    ///
    /// - Complexity: O(all that is held).
    mutating func compact() {
        var kept = Ring<Entry>()
        var (from, to) = (0, 0)
        for place in entries.startPlace..<entries.endPlace {
            let entry = entries[place]
            if !entry.isGone {
                content.move(from..<from + entry.bytes, to: to)
                kept.append(entry)
                to += entry.bytes
            }
            from += entry.bytes
        }
        content.move(from..<content.count, to: to)
        content.removeLast(from - to)
        entries = kept
        (entryBytes, goneBytes, goneRecords) = (to, 0, 0)
    }

    // MARK: At the front

    /// Hands over what is blank and nothing stands in front of.
    ///
    /// - Parameters:
    ///   - framer: Says where it may be cut.
    ///   - limit: The most bytes.
    ///   - isFirst: Whether one piece may be larger, as nothing else leaves with it.
    ///   - sink: Receives the bytes.
    /// - Returns: How many bytes left.
    mutating func takeBlank(
        framer: RecordFramer, limit: Int, isFirst: Bool, sink: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        guard entries.isEmpty, blankBytes > 0, limit > 0 else { return 0 }
        let blank = content.bytes.first(blankBytes)
        var taken = blankBytes
        if taken > limit {
            // Nothing that short is too long a record.
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

    /// Hands over the first records, and where those are all, what is blank behind them.
    ///
    /// - Parameters:
    ///   - credit: The most records.
    ///   - limit: The most bytes, or `nil` for one record of any length alone.
    ///   - isWhole: Stop in front of a record whose number does not follow that of the one before.
    ///   - takesBlank: Whether what is blank after the last record may leave with it.
    ///   - sink: Receives their bytes, in one piece or in several.
    /// - Returns: What left, and the number behind that of the last record.
    mutating func take(
        credit: Int, limit: Int?, isWhole: Bool, takesBlank: Bool, sink: (UnsafeRawBufferPointer) -> Void
    ) -> (run: RecordFramer.Run, next: Int) {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        let (isOne, credit) = (limit == nil, limit == nil ? min(credit, 1) : credit)
        let limit = limit ?? .max
        var (from, to) = (0, 0)
        var number = entries.first?.number ?? 0
        for place in entries.startPlace..<entries.endPlace {
            let entry = entries[place]
            if entry.isGone {
                hand(from..<to, to: sink)
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
        hand(from..<to + blank, to: sink)
        run.bytes += blank
        leave(run, blank: blank)
        return (run, number)
    }

    private func hand(_ range: Range<Int>, to sink: (UnsafeRawBufferPointer) -> Void) {
        guard !range.isEmpty else { return }
        sink(UnsafeRawBufferPointer(rebasing: content.bytes[range]))
    }

    private mutating func leave(_ run: RecordFramer.Run, blank: Int) {
        for _ in 0..<run.records { removeOldest() }
        content.removeFirst(blank)
        blankBytes -= blank
    }

    /// Puts records in front of all others, to which what is blank in front of the first may be added; none may be gone.
    ///
    /// - Parameters:
    ///   - bytes: Their bytes.
    ///   - restored: One entry for each, in order.
    /// - Complexity: O(all that is held); every record gets another place.
    mutating func prepend(_ bytes: UnsafeRawBufferPointer, _ restored: [Entry]) {
        content.prepend(bytes)
        var all = Ring<Entry>()
        for entry in restored { all.append(entry) }
        var behind = bytes.count - restored.reduce(0) { $0 + $1.bytes }
        for place in entries.startPlace..<entries.endPlace {
            var entry = entries[place]
            entry.bytes += behind
            behind = 0
            all.append(entry)
        }
        blankBytes += behind
        entryBytes += bytes.count - behind
        entries = all
    }
}
