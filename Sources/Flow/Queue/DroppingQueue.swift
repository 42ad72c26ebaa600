/// The queue of a stream that drops records instead of pausing the upstream: bounded, and never full for the upstream.
///
/// A new whole record that does not fit replaces others or is dropped itself, as the route's ``Overflow`` says. It fits
/// while no more records than granted are queued with it, and no more bytes than the bound, blank bytes before it
/// included; alone it always fits. An incomplete record is decided when its end has arrived.
///
/// Under `latest` a new record also replaces the queued one that it supersedes, whether or not that fits: the one of
/// the same key, or any if there are no keys. A whole chunk is queued before any of it is sent, so that the newest
/// record is sent.
///
/// Invariants (`DroppingQueueTests`, `DroppingQueueModelTests`):
/// 1. The output is whole records in their order, and each that arrived is sent once, is queued, or counts as lost.
/// 2. The losses depend on the records and on when others were sent, never on how the input was cut; under `latest`, if
///    nothing is sent between two cuts.
/// 3. It keeps dropped bytes of at most a quarter of the byte bound, so that it holds at most 1.25 of the bound, one
///    record and one chunk; an empty queue holds no memory.
/// 4. If losses are reported, no record passes an unreported loss.
///
/// A blank is a heartbeat: it is sent with the record after it, and dropped alone if it does not fit.
///
/// - Complexity: Amortised O(1) for each record and O(bytes), and the key's look-up under `latest` with a key.
package struct DroppingQueue: ~Copyable {
    package internal(set) var bounds: RecordQueue.Bounds
    let framer: RecordFramer
    let overflow: Overflow
    let keys: (any RecordKeyReader)?
    private let reportsLosses: Bool
    /// Bytes of the stream that were passed on and not taken: they count towards the byte bound as the queued ones do.
    package var pendingBytes = 0

    var store = RecordStore()
    var index = KeyIndex()
    /// The search position in the record that is arriving.
    private var progress = RecordFramer.Progress()
    private var isFinished = false
    private var failure: RecordFramer.Failure?
    /// Whole records that have arrived, and so the number of the next one.
    package internal(set) var arrived = 0
    /// The number of the next record to send, if nothing before it is lost.
    var expected = 0
    /// All records that were dropped.
    package internal(set) var lost = 0
    /// All bytes that were dropped, blank ones included.
    package internal(set) var droppedBytes = 0
    /// The most records that were queued at once.
    package internal(set) var peak = 0

    /// Makes an empty queue.
    ///
    /// - Parameters:
    ///   - framer: Finds the records.
    ///   - bounds: Beyond which records are dropped, and the longest record.
    ///   - overflow: `dropOldest`, `dropNewest` or `latest`; the others never drop.
    ///   - keys: For `latest`: the newest record of each key is kept.
    ///   - reportsLosses: Whether each loss is reported to the client at its position, see ``lossReported()``.
    package init(
        framer: RecordFramer, bounds: RecordQueue.Bounds, overflow: Overflow, keys: (any RecordKeyReader)? = nil,
        reportsLosses: Bool = false
    ) {
        precondition(overflow.drops, "a queue of records that may be dropped")
        self.framer = framer
        self.bounds = bounds
        self.overflow = overflow
        self.keys = overflow == .latest ? keys : nil
        self.reportsLosses = reportsLosses
    }

    /// Whole records that are queued.
    package var records: Int { store.records }
    /// All bytes that are queued, those of an unfinished record included.
    package var bytes: Int { store.bytes }
    /// All bytes in memory, those of dropped records included.
    package var storedBytes: Int { store.storedBytes }
    /// Whether `take` would return anything after all losses are reported: a record, a blank, or a failure.
    package var hasOutput: Bool { store.records > 0 || store.blankBytes > 0 || failure != nil }
    package var isEmpty: Bool { store.bytes == 0 }

    /// Records that were lost before the next one to send, or after the last if none is queued.
    ///
    /// If losses are not reported, the number is reset when that record is sent.
    package var lossAhead: Int { (store.entries.first?.number ?? arrived) - expected }

    /// The loss ahead was reported to the client.
    ///
    /// A queue that reports losses sends nothing while there is an unreported one.
    package mutating func lossReported() { expected = store.entries.first?.number ?? arrived }

    private var isBlockedByLoss: Bool { reportsLosses && lossAhead > 0 }

    // MARK: Events

    /// Takes the next bytes of the upstream, and passes on the records that may be sent at once.
    ///
    /// Queued records are sent before any are dropped for the new bytes, except under `latest`.
    ///
    /// - Parameters:
    ///   - chunk: Any number of bytes, cut anywhere.
    ///   - credit: The number of records that may be sent now.
    ///   - limit: The number of bytes that may be sent now; a whole record may exceed it if it is the first.
    ///   - sink: Receives the bytes of whole records.
    /// - Returns: The run that was sent, of the queue and of the chunk; its `bytes` are 0 only if nothing was sent.
    /// - Throws: `recordTooLarge` if a record is too long and this call sends nothing; records queued before it remain,
    ///   for ``dropUnframed()``, and nothing after it is queued.
    package mutating func push(
        _ chunk: UnsafeRawBufferPointer, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        var passed = 0
        if overflow != .latest { passed = pushPast(chunk, &run, credit: credit, limit: limit, sink: sink) }
        if failure == nil {
            store.append(chunk.from(passed))
            frame()
        }
        take(&run, credit: credit, limit: limit, sink: sink)
        if run.bytes == 0, let failure { throw failure }
        return run
    }

    /// Passes on the queued records, and the records of a chunk that may follow without being queued.
    ///
    /// - Returns: The number of bytes of the chunk that were sent or queued.
    private mutating func pushPast(
        _ chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, credit: Int, limit: Int,
        sink: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        take(&run, credit: credit, limit: limit, sink: sink)
        var passed = 0
        if !framer.canContinue(after: store.rest.count), failure == nil, !chunk.isEmpty {
            // The shortcut does not see the buffered part of a record.
            passed = complete(with: chunk)
            take(&run, credit: credit, limit: limit, sink: sink)
        }
        if store.records == 0, store.blankBytes == 0, failure == nil, !isBlockedByLoss {
            passed += pass(chunk.from(passed), &run, credit: credit, limit: limit, sink: sink)
        }
        return passed
    }

    /// Passes on records that may be sent now.
    ///
    /// - Parameters:
    ///   - credit: The maximum number of records.
    ///   - limit: The maximum number of bytes, unless the first record alone is larger.
    ///   - sink: Receives their bytes, in one piece or in several.
    /// - Returns: The run that was sent.
    /// - Throws: `recordTooLarge` as `push` does.
    package mutating func take(
        credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        take(&run, credit: credit, limit: limit, sink: sink)
        if run.bytes == 0, let failure { throw failure }
        return run
    }

    /// The upstream has ended: bytes without a record's end are sent too, as the last record if they are one.
    ///
    /// - Throws: `recordTooLarge` if a record is known to be too long; ``dropUnframed()`` drops it.
    package mutating func finish() throws(RecordFramer.Failure) {
        isFinished = true
        if let failure { throw failure }
        let last = framer.last(in: store.rest)
        if last.bytes > 0 { arrived(last) }
        store.closeGap()
        progress = .init()
    }

    /// The upstream failed, or sent a record that is too long: an incomplete record will not be completed.
    package mutating func dropUnframed() {
        failure = nil
        store.removeRest()
        progress = .init()
        isFinished = true
    }

    // MARK: Output

    /// Adds to a run the records that may be sent in it.
    private mutating func take(
        _ run: inout RecordFramer.Run, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) {
        if store.records == 0 {
            // The end of the stream may be an incomplete record, of which a notice after it would become a part.
            guard !isFinished || !isBlockedByLoss else { return }
            run.bytes += store.takeBlank(
                framer: framer, limit: limit - run.bytes, isFirst: run.bytes == 0, sink: sink)
            return
        }
        guard !isBlockedByLoss, run.records < credit else { return }
        let isFirst = run.bytes == 0 && store.entries.first.map { $0.bytes > limit } ?? false
        guard isFirst || run.bytes < limit else { return }
        let more = store.take(
            credit: credit - run.records, limit: isFirst ? nil : limit - run.bytes, isWhole: reportsLosses,
            takesBlank: !reportsLosses || !isFinished, sink: sink)
        guard more.run.records > 0 else { return }
        run.records += more.run.records
        run.bytes += more.run.bytes
        expected = more.next
        if keys != nil { index.prune(store.entries) }
    }

    /// Bypasses the queue: passes on the record that was begun in it, and the following ones of the chunk.
    ///
    /// - Returns: The number of bytes of the chunk that were sent; if it is not 0, the buffered bytes were sent too.
    private mutating func pass(
        _ chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, credit: Int, limit: Int,
        sink: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        let buffered = store.rest.count
        let room = limit - run.bytes - buffered
        guard framer.canContinue(after: buffered), run.records < credit, room > 0 else { return 0 }
        let window = chunk.first(min(chunk.count, room))
        do throws(RecordFramer.Failure) {
            let more = try framer.run(
                in: window, held: buffered, upTo: credit - run.records, maximum: bounds.record)
            guard more.bytes > 0 else { return 0 }
            if buffered > 0 {
                sink(store.rest)
                store.removeRest()
            }
            progress = .init()
            sink(window.first(more.bytes))
            run.records += more.records
            run.bytes += buffered + more.bytes
            arrived += more.records
            if more.records > 0 { expected = arrived }
            return more.bytes
        } catch {
            failure = error
            return 0
        }
    }

    // MARK: Input

    /// Finds records in bytes that have not been searched.
    private mutating func frame() {
        while let first = nextArrival() { arrived(first) }
        store.closeGap()
    }

    /// Takes bytes of a chunk to complete a begun record that has to be examined in one piece.
    ///
    /// - Returns: The number of bytes of the chunk.
    private mutating func complete(with chunk: UnsafeRawBufferPointer) -> Int {
        // In steps, because surplus bytes are copied twice.
        var (taken, step) = (0, framer.firstStep)
        while taken < chunk.count, failure == nil, !framer.canContinue(after: store.rest.count) {
            let more = min(step, chunk.count - taken)
            store.append(UnsafeRawBufferPointer(rebasing: chunk[taken..<taken + more]))
            taken += more
            step *= 2
            guard let first = nextArrival() else { continue }
            let surplus = store.rest.count - first.bytes
            store.removeLast(surplus)
            taken -= surplus
            arrived(first)
        }
        store.closeGap()
        return taken
    }

    /// The record or blank at the front of the bytes that have not been searched; `nil` if none is whole.
    private mutating func nextArrival() -> RecordFramer.Run? {
        guard failure == nil else { return nil }
        do throws(RecordFramer.Failure) {
            let first = try framer.first(in: store.rest, from: &progress, maximum: bounds.record)
            return first.bytes > 0 ? first : nil
        } catch {
            failure = error
            return nil
        }
    }

    private mutating func arrived(_ first: RecordFramer.Run) {
        if first.records > 0 { recordArrived(first.bytes) } else { blankArrived(first.bytes) }
    }
}
