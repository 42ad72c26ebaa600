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
    /// How far the record behind `framed` has been looked at.
    private var progress = RecordFramer.Progress()
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
    /// Whether a `take` would tell anything: a record, what is blank, opaque bytes, or a record that is too long.
    package var hasOutput: Bool { framed.bytes > 0 || failure != nil }
    package var isEmpty: Bool { content.count == 0 }

    /// Bytes of the stream that were handed over and not taken: they count towards the byte bound as those queued do.
    package var pendingBytes = 0

    /// Whether the upstream must pause: the high mark is reached in records or in bytes.
    ///
    /// Not while all that is held is an unfinished record: the rest of it is wanted.
    package var isFull: Bool {
        records >= bounds.records
            || (content.count + pendingBytes >= bounds.bytes.bytes && framed.bytes + pendingBytes > 0)
    }

    /// Whether half the room is free again, so that one pause serves many records.
    package var isLow: Bool {
        records <= bounds.records / 2
            && (content.count + pendingBytes <= bounds.bytes.bytes / 2 || framed.bytes + pendingBytes == 0)
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
        var run = RecordFramer.Run(records: 0, bytes: 0)
        var rest = chunk
        if framed.bytes == 0, failure == nil, credit > 0, content.count + chunk.count <= limit {
            if !framer.goesOn(behind: content.count) { rest = complete(with: rest, &run, sink: sink) }
            rest = pass(rest, &run, credit: credit, sink: sink)
        }
        content.append(rest)
        frame()
        return run.bytes > 0 ? run : try take(credit: credit, limit: limit, sink: sink)
    }

    /// Takes of a chunk what a begun record lacks that has to be looked at in one piece, and hands that record on.
    ///
    /// - Returns: What is left of the chunk.
    private mutating func complete(
        with chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, sink: (UnsafeRawBufferPointer) -> Void
    ) -> UnsafeRawBufferPointer {
        // In steps, as what is taken too much is copied twice.
        var (taken, step) = (0, framer.firstStep)
        while taken < chunk.count, !framer.goesOn(behind: content.count) {
            let more = min(step, chunk.count - taken)
            content.append(UnsafeRawBufferPointer(rebasing: chunk[taken..<taken + more]))
            taken += more
            step *= 2
            // One that is too long is found again, by `frame`, which remembers it.
            guard let first = try? framer.first(in: content.bytes, from: &progress, maximum: bounds.record) else {
                break
            }
            guard first.bytes > 0 else { continue }
            sink(content.bytes.first(first.bytes))
            taken -= content.count - first.bytes
            content.removeAll()
            run = first
        }
        return chunk.from(taken)
    }

    /// The shortcut past the queue: hands on the record that was begun in it, and what follows in the chunk.
    ///
    /// - Returns: What is left of the chunk; where anything left, so did all that was held.
    private mutating func pass(
        _ chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, credit: Int,
        sink: (UnsafeRawBufferPointer) -> Void
    ) -> UnsafeRawBufferPointer {
        let held = content.count
        guard !chunk.isEmpty, framer.goesOn(behind: held) else { return chunk }
        let more = try? framer.run(in: chunk, held: held, upTo: credit - run.records, maximum: bounds.record)
        guard let more, more.bytes > 0 else { return chunk }
        if held > 0 {
            sink(content.bytes)
            content.removeAll()
        }
        progress = .init()
        sink(chunk.first(more.bytes))
        run.records += more.records
        run.bytes += held + more.bytes
        return chunk.from(more.bytes)
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

    /// The upstream has ended: what is left without an end leaves too, as the last record if it is one.
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
        progress = .init()
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
    ///   - bytes: Whole records, with what is blank among them; the last may lack its end where the stream's did.
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
        guard limit > 0 else { return RecordFramer.Run(records: 0, bytes: 0) }
        guard framer != .opaque else { return RecordFramer.Run(records: 0, bytes: min(limit, framed.bytes)) }
        let all = content.bytes.first(framed.bytes)
        let window = all.first(min(limit, framed.bytes))
        var progress = RecordFramer.Progress()
        let run = try framer.run(in: window, from: &progress, upTo: credit, maximum: bounds.record)
        guard run.bytes == 0, credit > 0 || framed.records == 0 else { return run }
        // Where the window holds none, it is the first alone; without an end, it is the last of the stream.
        let first = try framer.first(in: all, from: &progress, maximum: bounds.record)
        return first.bytes > 0 ? first : framed
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
                in: rest, from: &progress, upTo: bounds.records - records, maximum: bounds.record)
            framed.records += run.records
            framed.bytes += run.bytes
            unframed -= run.bytes
        } catch {
            failure = error
            return
        }
        if records < bounds.records, unframed > bounds.record.bytes {
            // The run ended there although there was room for more.
            failure = .recordTooLarge(limit: bounds.record)
        } else if isFinished, unframed > 0, records < bounds.records {
            framed.records += framer.last(in: rest.from(rest.count - unframed)).records
            framed.bytes = content.count
            progress = .init()
        }
        peak = max(peak, records)
    }
}
