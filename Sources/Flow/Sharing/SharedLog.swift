import HTTPText

/// The retained records of a shared stream, in segments that readers on all event loops send from.
///
/// Records have numbers, counted from the first of the pull, so that a gap is arithmetic. The bound of records is exact;
/// those of bytes and age are kept by releasing whole segments.
///
/// Invariants (`SharedLogModelTests`):
/// 1. A reader gets each record from its cursor on once and in order, except those of the gaps that it was given.
/// 2. After ``trim(keeping:at:)`` the bounds hold, except for records that a reader was promised.
///
/// - Complexity: O(records) for each segment appended, O(log segments) to join, O(1) for each piece read.
package struct SharedLog: Sendable {
    private struct Entry {
        let segment: LogSegment
        /// The number of its first record.
        let first: Int
        /// The cost of all segments before it.
        let costBefore: Int
        var end: Int { first + segment.records }
    }

    /// Bytes that may arrive after a pull was asked to wait: what is being read, and what is on its way to another loop.
    private static let overshoot = 256 << 10

    package let retention: Retention
    private var entries = Ring<Entry>()
    /// The number of the oldest retained record, or of the next one if none is retained.
    package private(set) var first = 0
    /// The number of the next record to arrive.
    package private(set) var next = 0
    private var totalCost = 0
    private var newest = NewestRecords()
    private var events = NewestRecords()

    private var released: ReleasedRecords

    package init(retention: Retention) {
        self.retention = retention
        released = ReleasedRecords(retention: retention)
    }

    /// Retained records.
    package var records: Int { next - first }
    /// The memory of the retained segments, about.
    package var cost: Int { totalCost - (entries.first?.costBefore ?? totalCost) }
    /// The memory of all that is kept: ``cost``, and the newest record of each key that is not retained any more.
    package var memory: Int { cost + released.cost }
    /// Where a reader is that has everything.
    package var end: Cursor { Cursor(record: next, segment: entries.endPosition) }

    // MARK: Writing

    /// Adds the records that arrived; ``trim(keeping:at:)`` follows when readers that were at the end have them.
    ///
    /// - Returns: All of them.
    @discardableResult
    package mutating func append(_ segment: LogSegment) -> Slice {
        for (index, key) in segment.keys.enumerated() {
            guard let key else { continue }
            newest[key] = next + index
            released.remove(key)
        }
        for (index, id) in segment.eventIds.enumerated() { if let id { events[id] = next + index } }
        entries.append(Entry(segment: segment, first: next, costBefore: totalCost))
        next += segment.records
        totalCost += segment.cost
        return Slice(segment: segment, range: 0..<segment.chunk.count, records: segment.records, next: end)
    }

    /// Releases what is beyond the bounds.
    ///
    /// - Parameters:
    ///   - promised: Nothing from here on is released.
    ///   - now: The time, for the bound of age.
    package mutating func trim(keeping promised: Cursor? = nil, at now: Instant) {
        let limit = promised ?? end
        release(before: min(limit.record, next - retention.records))
        while let oldest = entries.first, entries.startPosition < limit.segment {
            let isOld = retention.age.map { now - oldest.segment.arrived > $0 } ?? false
            guard oldest.end <= first || isOld || cost > retention.bytes.bytes else { break }
            release(before: oldest.end)
            entries.removeFirst()
        }
        newest.prune(before: first, of: records)
        events.prune(before: first, of: records)
    }

    /// Releases records, and keeps the newest of each key.
    private mutating func release(before number: Int) {
        guard number > first else { return }
        keepNewest(before: number)
        first = number
    }

    private mutating func keepNewest(before number: Int) {
        var position = entries.startPosition
        for record in first..<number {
            while entries[position].end <= record { position += 1 }
            let entry = entries[position], index = record - entry.first
            // Either all records of a pull have keys, or none.
            guard !entry.segment.keys.isEmpty else { return }
            guard let key = entry.segment.keys[index], newest[key] == record else { continue }
            let (start, end) = (entry.segment.start(of: index), entry.segment.ends[index])
            entry.segment.chunk.withBytes {
                released.add(
                    UnsafeRawBufferPointer(rebasing: $0[start..<end]), number: record, key: key,
                    arrived: entry.segment.arrived)
            }
        }
    }

    /// Releases everything that no reader was promised, because memory is short.
    package mutating func releaseAll(keeping promised: Cursor) {
        released.removeAll()
        first = max(first, promised.record)
        while let oldest = entries.first, entries.startPosition < promised.segment, oldest.end <= first {
            entries.removeFirst()
        }
    }

    /// Whether as much as may be retained is still to be read from here on: then the pull must not run further ahead.
    package func isFull(from cursor: Cursor) -> Bool {
        isFilled(from: cursor, records: retention.records, bytes: retention.bytes.bytes)
    }

    /// Whether more is to be read from here on than a pull still brings that waits because ``isFull(from:)`` holds.
    package func exceedsOvershoot(from cursor: Cursor) -> Bool {
        guard let entry = entry(of: cursor) else { return false }
        let unread = totalCost - entry.costBefore
        return unread > Self.overshoot
            && (next - cursor.record > retention.records || unread > retention.bytes.bytes + Self.overshoot)
    }

    /// Whether at most half of it is.
    package func isLow(from cursor: Cursor) -> Bool {
        !isFilled(from: cursor, records: retention.records / 2 + 1, bytes: retention.bytes.bytes / 2 + 1)
    }

    private func isFilled(from cursor: Cursor, records: Int, bytes: Int) -> Bool {
        guard let entry = entry(of: cursor) else { return false }
        return next - cursor.record >= records || totalCost - entry.costBefore >= bytes
    }

    /// The segment with the next record of a reader; `nil` if none is retained: it has all of them, or all were released.
    private func entry(of cursor: Cursor) -> Entry? {
        let position = max(cursor.segment, entries.startPosition)
        return position < entries.endPosition ? entries[position] : nil
    }

    // MARK: Joining

    /// Where a reader begins; `nil` if what it asks for is not retained.
    package func cursor(for join: JoinPoint) -> Cursor? {
        switch join {
        case .configured(.next): end
        case .configured(.last): cursor(at: max(first, next - 1))
        case .configured(.beginning): cursor(at: first)
        case .configured(.keys): released.first(from: 0, before: first) == nil ? cursor(at: first) : .beginning
        case .record(let number): cursor(at: number)
        case .afterEvent(let id): events[id].flatMap { cursor(at: $0 + 1) }
        }
    }

    private func cursor(at number: Int) -> Cursor? {
        guard (first...next).contains(number) else { return nil }
        guard number < next else { return end }
        var (low, high) = (entries.startPosition, entries.endPosition)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].end > number { high = middle } else { low = middle + 1 }
        }
        return Cursor(record: number, segment: low)
    }

    // MARK: Reading

    /// A piece of the log for one reader.
    package enum Piece {
        /// The reader has everything.
        case none
        /// These records are no longer retained; the reader continues at the cursor.
        case gap(Range<Int>, next: Cursor)
        case bytes(Slice)
    }

    /// Bytes of one segment, whole records and blank bytes.
    package struct Slice {
        package let segment: LogSegment
        package let range: Range<Int>
        package let records: Int
        /// Where the reader is when it has them.
        package let next: Cursor

        /// Whether it is all of its segment.
        package var isWhole: Bool { range.count == segment.chunk.count }

        /// Calls a function with the bytes.
        package func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
            segment.chunk.withBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
        }
    }

    /// The records at a cursor, as far as they are in one piece; at most `limit`, and at least one if there are any.
    package func read(at cursor: Cursor, upTo limit: Int = .max) -> Piece {
        if cursor.record < first { return .gap(cursor.record..<first, next: self.cursor(at: first) ?? end) }
        let position = max(cursor.segment, entries.startPosition)
        guard position < entries.endPosition else { return .none }
        let entry = entries[position]
        let first = max(cursor.record, entry.first)
        let start = entry.segment.start(of: first - entry.first)
        guard limit < entry.end - first else {
            return .bytes(
                Slice(
                    segment: entry.segment, range: start..<entry.segment.chunk.count, records: entry.end - first,
                    next: Cursor(record: entry.end, segment: position + 1)))
        }
        let last = first + max(1, limit)
        return .bytes(
            Slice(
                segment: entry.segment, range: start..<entry.segment.start(of: last - entry.first),
                records: last - first,
                next: Cursor(record: last, segment: position)))
    }

    /// The next records that are the newest of their key, up to a record; also those that are kept although their neighbours
    /// are not.
    ///
    /// - Parameters:
    ///   - cursor: Where the reader is.
    ///   - limit: The number after the last record.
    /// - Returns: `none` if no such record is left.
    /// - Complexity: O(records passed over).
    package func readNewest(at cursor: Cursor, before limit: Int) -> Piece {
        if cursor.record < first, let (number, segment) = released.first(from: cursor.record, before: limit) {
            return .bytes(
                Slice(
                    segment: segment, range: 0..<segment.chunk.count, records: 1,
                    next: Cursor(record: number + 1, segment: cursor.segment)))
        }
        var (record, position) = (max(first, cursor.record), max(cursor.segment, entries.startPosition))
        while record < limit, position < entries.endPosition {
            let entry = entries[position]
            while record < min(limit, entry.end), !isNewest(record, in: entry) { record += 1 }
            guard record < entry.end else {
                position += 1
                continue
            }
            guard record < limit else { break }
            let start = record
            while record < min(limit, entry.end), isNewest(record, in: entry) { record += 1 }
            let range = entry.segment.start(of: start - entry.first)..<entry.segment.start(of: record - entry.first)
            return .bytes(
                Slice(
                    segment: entry.segment, range: range, records: record - start,
                    next: Cursor(record: record, segment: record < entry.end ? position : position + 1)))
        }
        return .none
    }

    private func isNewest(_ record: Int, in entry: Entry) -> Bool {
        guard !entry.segment.keys.isEmpty, let key = entry.segment.keys[record - entry.first] else { return false }
        return newest[key] == record
    }
}
