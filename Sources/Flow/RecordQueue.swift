/// The one bounded queue between an upstream and a client: whole records, in order.
///
/// Invariants, each tested in `RecordQueueTests`:
/// 1. What comes out is what went in, byte for byte, and only ever cut behind a whole record.
/// 2. `records` never exceeds the granted number, except after ``setRecordBound(_:)`` lowered it or ``putBack(_:records:)``
///    brought records back, and then it only falls. Beyond it the queue keeps at most what had arrived before the pause
///    took effect: one read of libcurl, not yet looked at.
/// 3. A record larger than the byte bound passes alone when nothing else is queued; otherwise it would wait for ever.
/// 4. An empty queue holds no memory.
/// 5. Every whole record in front of one that is too long can still leave, however the input was cut.
package struct RecordQueue: ~Copyable {
    /// Where the queue is full, and where it counts as drained again.
    package struct Bounds: Equatable, Sendable {
        package var records: Int
        package var bytes: ByteCount
        package var record: ByteCount

        /// - Parameters:
        ///   - records: The granted records.
        ///   - bytes: The high mark in bytes.
        ///   - record: The longest single record, its newline included.
        package init(records: Int, bytes: ByteCount, record: ByteCount) {
            self.records = records
            self.bytes = bytes
            self.record = record
        }
    }

    package private(set) var bounds: Bounds
    private let framer: RecordFramer
    private var content = ByteQueue()
    /// The whole records at the front of `content`.
    private var framed = RecordFramer.Run(records: 0, bytes: 0)
    /// How many bytes behind `framed` are known to hold no newline.
    private var searched = 0
    private var isFinished = false
    /// A record that is too long stands behind `framed`.
    private var failure: RecordFramer.Failure?
    /// The most records that were queued at once.
    package private(set) var peak = 0

    package init(framer: RecordFramer, bounds: Bounds) {
        self.framer = framer
        self.bounds = bounds
    }

    /// Whole records that are queued.
    package var records: Int { framed.records }
    /// All bytes held, those of an unfinished record included.
    package var bytes: Int { content.count }
    /// Whether a `take` would tell anything: a record, a blank line, opaque bytes, or a record that is too long.
    package var hasOutput: Bool { framed.bytes > 0 || failure != nil }
    package var isEmpty: Bool { content.count == 0 }

    /// Whether the upstream must pause: the high mark is reached in records or in bytes.
    package var isFull: Bool {
        records >= bounds.records || (content.count >= bounds.bytes.bytes && framed.bytes > 0)
    }

    /// Whether half the room is free again, so that one pause serves many records.
    package var isLow: Bool {
        records <= bounds.records / 2 && (content.count <= bounds.bytes.bytes / 2 || framed.bytes == 0)
    }

    /// Takes the next bytes of the upstream, and hands on at once what may leave at once.
    ///
    /// - Parameters:
    ///   - chunk: Any number of bytes, cut anywhere.
    ///   - credit: How many records may leave now; they bypass the queue, so that a client that keeps up costs one copy.
    ///   - limit: How many bytes may leave now; a whole record may exceed it where it is the first.
    ///   - sink: Receives the bytes of whole records.
    /// - Returns: What left, of the queue and of the chunk; its `bytes` are 0 only if nothing left.
    /// - Throws: `recordTooLarge` where a record is too long and this call lets nothing leave; what is queued in front of
    ///   it stays, for ``dropUnframed()``.
    package mutating func push(
        _ chunk: UnsafeRawBufferPointer, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        let held = content.count
        var passed = RecordFramer.Run(records: 0, bytes: 0)
        if framed.bytes == 0, failure == nil, held != 1, credit > 0, held + chunk.count <= limit {
            passed = try pass(chunk, credit: credit, sink: sink)
        }
        content.append(UnsafeRawBufferPointer(rebasing: chunk[passed.bytes...]))
        frame()
        guard passed.bytes == 0 else { return RecordFramer.Run(records: passed.records, bytes: held + passed.bytes) }
        return try take(credit: credit, limit: limit, sink: sink)
    }

    /// The shortcut past the queue: hands on the record that was begun in it, and what follows in the chunk.
    ///
    /// Not for a held beginning of one byte, which could be the CR of a blank line.
    ///
    /// - Returns: What of the chunk left; where that is anything, so did all that was held.
    private mutating func pass(
        _ chunk: UnsafeRawBufferPointer, credit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        let held = content.count
        let run = try framer.run(in: chunk, held: held, upTo: credit, maximum: bounds.record)
        guard run.bytes > 0 else { return run }
        if held > 0 {
            sink(content.bytes)
            content.removeAll()
        }
        searched = 0
        sink(UnsafeRawBufferPointer(rebasing: chunk[..<run.bytes]))
        return run
    }

    /// Hands over records that may leave now.
    ///
    /// - Parameters:
    ///   - credit: The most records to hand over.
    ///   - limit: The most bytes, unless the first record alone is larger.
    ///   - sink: Receives their bytes.
    /// - Returns: What left.
    /// - Throws: `recordTooLarge` as `push` does.
    package mutating func take(
        credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        let run = try front(credit: credit, limit: limit)
        guard run.bytes > 0 else {
            if let failure { throw failure }
            return run
        }
        sink(UnsafeRawBufferPointer(rebasing: content.bytes[..<run.bytes]))
        content.removeFirst(run.bytes)
        framed.records -= run.records
        framed.bytes -= run.bytes
        frame()
        return run
    }

    /// The upstream has ended: what is left without a newline is the last record.
    ///
    /// - Throws: `recordTooLarge` where a record is known to be too long; ``dropUnframed()`` gives it up.
    package mutating func finish() throws(RecordFramer.Failure) {
        isFinished = true
        frame()
        if let failure { throw failure }
    }

    /// The upstream broke off, or sent a record that is too long: what is not yet a whole record never will be one.
    package mutating func dropUnframed() {
        failure = nil
        content.removeLast(content.count - framed.bytes)
        searched = 0
        isFinished = true
    }

    /// So many records are granted from now on; where more are queued, the queue is full until they have left.
    package mutating func setRecordBound(_ records: Int) {
        bounds.records = max(1, records)
        frame()
    }

    /// Puts records in front that were handed over and not received.
    ///
    /// - Parameters:
    ///   - bytes: Whole records, with the blank lines among them; the last may lack its newline where the stream's did.
    ///   - records: How many those are; the granted number does not keep them out.
    /// - Complexity: O(all that is held).
    package mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int) {
        content.prepend(bytes)
        framed.records += records
        framed.bytes += bytes.count
        peak = max(peak, framed.records)
    }

    /// The run at the front that fits both limits.
    private func front(credit: Int, limit: Int) throws(RecordFramer.Failure) -> RecordFramer.Run {
        guard framed.records > credit || framed.bytes > limit else { return framed }
        guard framer == .lines else { return RecordFramer.Run(records: 0, bytes: min(limit, framed.bytes)) }
        let all = UnsafeRawBufferPointer(rebasing: content.bytes[..<framed.bytes])
        let window = UnsafeRawBufferPointer(rebasing: all[..<min(limit, framed.bytes)])
        let run = try framer.run(in: window, upTo: credit, maximum: bounds.record)
        guard run.bytes == 0, credit > 0 else { return run }
        let first = try framer.run(in: all, searched: window.count, upTo: 1, maximum: bounds.record)
        return first.bytes > 0 ? first : framed  // the last line of the stream, without a newline
    }

    /// Looks for records in what has not been looked at, up to the granted number.
    private mutating func frame() {
        guard content.count > framed.bytes, failure == nil, records < bounds.records || framer == .opaque else {
            return
        }
        let rest = UnsafeRawBufferPointer(rebasing: content.bytes[framed.bytes...])
        var unframed = rest.count
        do throws(RecordFramer.Failure) {
            let run = try framer.run(
                in: rest, searched: searched, upTo: bounds.records - records, maximum: bounds.record)
            framed.records += run.records
            framed.bytes += run.bytes
            unframed -= run.bytes
        } catch {
            failure = error
            return
        }
        searched = records < bounds.records ? unframed : 0
        if records < bounds.records, unframed > bounds.record.bytes {
            // The run ended there although there was room for more.
            failure = .recordTooLarge(limit: bounds.record)
        } else if isFinished, unframed > 0, records < bounds.records {
            framed = RecordFramer.Run(records: records + 1, bytes: content.count)
            searched = 0
        }
        peak = max(peak, records)
    }
}
