/// The one bounded queue between an upstream and a client: whole records, in order.
///
/// Invariants, each tested in `RecordQueueTests`:
/// 1. The output equals the input, byte for byte, and is only cut after a whole record.
/// 2. `records` never exceeds the granted number, except after ``setRecordBound(_:)`` lowered it or
///    ``putBack(_:records:)`` returned records; then it only falls. Beyond it the queue keeps at most the bytes that
///    had arrived before the pause took effect: one read of libcurl, not yet searched.
/// 3. A record larger than the byte bound passes alone when nothing else is queued; otherwise it would wait for ever.
/// 4. An empty queue holds no memory.
/// 5. Every whole record before one that is too long can still be sent, however the input was cut.
package struct RecordQueue: ~Copyable {
    /// The size at which the queue is full, and half of which is the low mark.
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
    /// The search position in the record after `framed`.
    private var progress = RecordFramer.Progress()
    private var isFinished = false
    /// The bytes after the last whole record will not be completed.
    private var isBroken = false
    /// The record after `framed` is too long.
    private var failure: RecordFramer.Failure?
    /// The most records that were queued at once.
    package private(set) var peak = 0

    package init(framer: RecordFramer, bounds: Bounds) {
        self.framer = framer
        self.bounds = bounds
    }

    /// Whole records that are queued.
    package var records: Int { framed.records }
    /// All buffered bytes, those of an incomplete record included.
    package var bytes: Int { content.count }
    /// The memory that is allocated for them; up to half as many bytes more while records come and go.
    package var allocatedBytes: Int { content.capacity }
    /// Whether it has one record and nothing else, framed or not.
    package var hasOneRecordOnly: Bool { framed.records == 1 && framed.bytes == content.count }
    /// Whether `take` would return anything: a record, a blank, opaque bytes, or a record that is too long.
    package var hasOutput: Bool { framed.bytes > 0 || failure != nil }
    package var isEmpty: Bool { content.count == 0 }

    /// Bytes of the stream that were passed on and not taken: they count towards the byte bound as the queued ones do.
    package var pendingBytes = 0

    /// Whether the upstream must pause: the high mark is reached in records or in bytes.
    ///
    /// Not while only an incomplete record is buffered: its end is needed.
    package var isFull: Bool {
        records >= bounds.records
            || (content.count + pendingBytes >= bounds.bytes.bytes && framed.bytes + pendingBytes > 0)
    }

    /// Whether half the queue is free again, so that one pause serves many records.
    package var isLow: Bool {
        records <= bounds.records / 2
            && (content.count + pendingBytes <= bounds.bytes.bytes / 2 || framed.bytes + pendingBytes == 0)
    }

    /// Takes the next bytes of the upstream, and passes on the records that may be sent at once.
    ///
    /// - Parameters:
    ///   - chunk: Any number of bytes, cut anywhere.
    ///   - credit: The number of records that may be sent now; they bypass the queue, so that a client that keeps up
    ///     costs one copy.
    ///   - limit: The number of bytes that may be sent now; a whole record may exceed it if it is the first.
    ///   - sink: Receives the bytes of whole records.
    /// - Returns: The run that was sent, of the queue and of the chunk; its `bytes` are 0 only if nothing was sent.
    /// - Throws: `recordTooLarge` if a record is too long and this call sends nothing; records queued before it remain,
    ///   for ``dropUnframed()``.
    package mutating func push(
        _ chunk: UnsafeRawBufferPointer, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        var rest = chunk
        if framed.bytes == 0, failure == nil, credit > 0, content.count + chunk.count <= limit {
            if !framer.canContinue(after: content.count) { rest = complete(with: rest, &run, sink: sink) }
            rest = pass(rest, &run, credit: credit, sink: sink)
        }
        content.append(rest)
        frame()
        return run.bytes > 0 ? run : try take(credit: credit, limit: limit, sink: sink)
    }

    /// Takes bytes of a chunk to complete a begun record that has to be examined in one piece, and passes that record
    /// on.
    ///
    /// - Returns: The rest of the chunk.
    private mutating func complete(
        with chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, sink: (UnsafeRawBufferPointer) -> Void
    ) -> UnsafeRawBufferPointer {
        // In steps, because surplus bytes are copied twice.
        var (taken, step) = (0, framer.firstStep)
        while taken < chunk.count, !framer.canContinue(after: content.count) {
            let more = min(step, chunk.count - taken)
            content.append(UnsafeRawBufferPointer(rebasing: chunk[taken..<taken + more]))
            taken += more
            step *= 2
            // A record that is too long is found again by `frame`, which stores the failure.
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

    /// Bypasses the queue: passes on the record that was begun in it, and the following ones of the chunk.
    ///
    /// - Returns: The rest of the chunk; if any of it was sent, the buffered bytes were sent too.
    private mutating func pass(
        _ chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, credit: Int,
        sink: (UnsafeRawBufferPointer) -> Void
    ) -> UnsafeRawBufferPointer {
        let buffered = content.count
        guard !chunk.isEmpty, framer.canContinue(after: buffered) else { return chunk }
        let more = try? framer.run(in: chunk, held: buffered, upTo: credit - run.records, maximum: bounds.record)
        guard let more, more.bytes > 0 else { return chunk }
        if buffered > 0 {
            sink(content.bytes)
            content.removeAll()
        }
        progress = .init()
        sink(chunk.first(more.bytes))
        run.records += more.records
        run.bytes += buffered + more.bytes
        return chunk.from(more.bytes)
    }

    /// Passes on records that may be sent now.
    ///
    /// - Parameters:
    ///   - credit: The maximum number of records.
    ///   - limit: The maximum number of bytes, unless the first record alone is larger.
    ///   - sink: Receives their bytes.
    /// - Returns: The run that was sent.
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

    /// The upstream has ended: bytes without a record's end are sent too, as the last record if they are one.
    ///
    /// - Throws: `recordTooLarge` if a record is known to be too long; ``dropUnframed()`` drops it.
    package mutating func finish() throws(RecordFramer.Failure) {
        isFinished = true
        frame()
        if let failure { throw failure }
    }

    /// The upstream failed, or sent a record that is too long: an incomplete record will not be completed.
    ///
    /// Whole records that have arrived beyond the granted number are still framed and sent.
    package mutating func dropUnframed() {
        isBroken = true
        if failure != nil { dropRest() } else { frame() }
    }

    private mutating func dropRest() {
        failure = nil
        content.removeLast(content.count - framed.bytes)
        progress = .init()
    }

    /// Sets the granted number of records; if more are queued, the queue is full until they were sent.
    package mutating func setRecordBound(_ records: Int) {
        bounds.records = max(1, records)
        frame()
    }

    /// Sets the high mark in bytes; above it, the queue is full until some were sent.
    package mutating func setByteBound(_ bytes: ByteCount) { bounds.bytes = bytes }

    /// Inserts records before the first that were passed on and not received.
    ///
    /// - Parameters:
    ///   - bytes: Whole records, with the blank bytes between them; the last may lack its end if the stream's did.
    ///   - records: The number of those records; it may exceed the granted number.
    /// - Complexity: O(all buffered bytes).
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
        // If the window contains none, it is the first record alone; without an end, it is the last of the stream.
        let first = try framer.first(in: all, from: &progress, maximum: bounds.record)
        return first.bytes > 0 ? first : framed
    }

    /// Finds records in bytes that have not been searched, up to the granted number.
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
            if isBroken { dropRest() } else { failure = error }
            return
        }
        if isBroken {
            // The run ended although more records were allowed.
            if records < bounds.records { dropRest() }
        } else if records < bounds.records, unframed > bounds.record.bytes {
            failure = .recordTooLarge(limit: bounds.record)
        } else if isFinished, unframed > 0, records < bounds.records {
            framed.records += framer.last(in: rest.from(rest.count - unframed)).records
            framed.bytes = content.count
            progress = .init()
        }
        peak = max(peak, records)
    }
}
