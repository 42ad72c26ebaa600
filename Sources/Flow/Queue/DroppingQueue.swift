/// The queue of a stream that would rather lose records than wait: bounded, and never full for the upstream.
///
/// A new whole record that does not fit drops others or goes itself, as the route's ``Overflow`` says. It fits while no
/// more records than granted are queued with it, and no more bytes than the bound, what is blank in front included; alone
/// it always fits. What of a record has arrived is decided when the rest has.
///
/// Under `latest` a new record also replaces the queued one that it supersedes, whether or not that fits: the one of the
/// same key, or, without keys, any. All of a chunk is taken in before any of it leaves, so that what leaves is the newest.
///
/// Invariants (`DroppingQueueTests`, `DroppingQueueModelTests`):
/// 1. What leaves is whole records in their order, and each that arrived leaves once, is queued, or counts as lost.
/// 2. What is lost depends on the records and on when others left, never on how the input was cut; under `latest`, where
///    nothing leaves between two cuts.
/// 3. Of dropped bytes it keeps at most a quarter of the byte bound, so that it holds at most 1.25 of the bound, one
///    record and one chunk; an empty queue holds no memory.
/// 4. Where losses are told, nothing passes one that is untold.
///
/// What is blank is a heartbeat: it goes with the record behind it, and alone where it does not fit.
///
/// - Complexity: Amortised O(1) for each record and O(bytes), and the key's look-up under `latest` with a key.
package struct DroppingQueue: ~Copyable {
    package internal(set) var bounds: RecordQueue.Bounds
    let framer: RecordFramer
    let overflow: Overflow
    let keys: (any RecordKeyReader)?
    private let tellsLosses: Bool
    /// Bytes of the stream that were handed over and not taken: they count towards the byte bound as those queued do.
    package var pendingBytes = 0

    var store = RecordStore()
    var index = KeyIndex()
    /// How far the record that is arriving has been looked at.
    private var progress = RecordFramer.Progress()
    private var isFinished = false
    private var failure: RecordFramer.Failure?
    /// Whole records that have arrived, and so the number of the next one.
    package internal(set) var arrived = 0
    /// The number of the record that leaves next, if nothing is lost in front of it.
    var expected = 0
    /// All records that were dropped.
    package internal(set) var lost = 0
    /// All bytes that were dropped, with those of what is blank.
    package internal(set) var droppedBytes = 0
    /// The most records that were queued at once.
    package internal(set) var peak = 0

    /// - Parameters:
    ///   - framer: What a record is.
    ///   - bounds: Beyond which records are dropped, and the longest record.
    ///   - overflow: `dropOldest`, `dropNewest` or `latest`; the others never drop.
    ///   - keys: For `latest`: the newest record of each key stays.
    ///   - tellsLosses: Whether the client is told of each loss in its place, see ``lossTold()``.
    package init(
        framer: RecordFramer, bounds: RecordQueue.Bounds, overflow: Overflow, keys: (any RecordKeyReader)? = nil,
        tellsLosses: Bool = false
    ) {
        precondition(overflow.drops, "a queue of records that may be dropped")
        self.framer = framer
        self.bounds = bounds
        self.overflow = overflow
        self.keys = overflow == .latest ? keys : nil
        self.tellsLosses = tellsLosses
    }

    /// Whole records that are queued.
    package var records: Int { store.records }
    /// All bytes that are queued, those of an unfinished record included.
    package var bytes: Int { store.bytes }
    /// All bytes that are held, those of dropped records included.
    package var heldBytes: Int { store.heldBytes }
    /// Whether a `take` would tell anything, once no untold loss stands in front: a record, what is blank, a failure.
    package var hasOutput: Bool { store.records > 0 || store.blankBytes > 0 || failure != nil }
    package var isEmpty: Bool { store.bytes == 0 }

    /// Records that were lost in front of the one that would leave next, or, where none is queued, behind the last.
    ///
    /// Without being told they are forgotten when that record leaves.
    package var lossAhead: Int { (store.entries.first?.number ?? arrived) - expected }

    /// The client has been told of the loss ahead.
    ///
    /// Of a queue that tells losses nothing leaves while there is one.
    package mutating func lossTold() { expected = store.entries.first?.number ?? arrived }

    private var isHeldUpByLoss: Bool { tellsLosses && lossAhead > 0 }

    // MARK: Events

    /// Takes the next bytes of the upstream, and hands on at once what may leave at once.
    ///
    /// What is queued leaves before anything is dropped for the new bytes, but for `latest`.
    ///
    /// - Parameters:
    ///   - chunk: Any number of bytes, cut anywhere.
    ///   - credit: How many records may leave now.
    ///   - limit: How many bytes may leave now; a whole record may exceed it where it is the first.
    ///   - sink: Receives the bytes of whole records.
    /// - Returns: What left, of the queue and of the chunk; its `bytes` are 0 only if nothing left.
    /// - Throws: `recordTooLarge` where a record is too long and this call lets nothing leave; what is queued in front of
    ///   it stays, for ``dropUnframed()``, and nothing behind it is taken in.
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

    /// Hands on what was queued, and of a chunk what may follow it without being queued.
    ///
    /// - Returns: How many bytes of the chunk left, or were queued on the way.
    private mutating func pushPast(
        _ chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, credit: Int, limit: Int,
        sink: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        take(&run, credit: credit, limit: limit, sink: sink)
        var passed = 0
        if !framer.goesOn(behind: store.rest.count), failure == nil, !chunk.isEmpty {
            // The shortcut does not see what of a record is held.
            passed = complete(with: chunk)
            take(&run, credit: credit, limit: limit, sink: sink)
        }
        if store.records == 0, store.blankBytes == 0, failure == nil, !isHeldUpByLoss {
            passed += pass(chunk.from(passed), &run, credit: credit, limit: limit, sink: sink)
        }
        return passed
    }

    /// Hands over records that may leave now.
    ///
    /// - Parameters:
    ///   - credit: The most records to hand over.
    ///   - limit: The most bytes, unless the first record alone is larger.
    ///   - sink: Receives their bytes, in one piece or in several.
    /// - Returns: What left.
    /// - Throws: `recordTooLarge` as `push` does.
    package mutating func take(
        credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var run = RecordFramer.Run(records: 0, bytes: 0)
        take(&run, credit: credit, limit: limit, sink: sink)
        if run.bytes == 0, let failure { throw failure }
        return run
    }

    /// The upstream has ended: what is left without an end leaves too, as the last record if it is one.
    ///
    /// - Throws: `recordTooLarge` where a record is known to be too long; ``dropUnframed()`` gives it up.
    package mutating func finish() throws(RecordFramer.Failure) {
        isFinished = true
        if let failure { throw failure }
        let last = framer.last(in: store.rest)
        if last.bytes > 0 { arrived(last) }
        store.closeGap()
        progress = .init()
    }

    /// The upstream broke off, or sent a record that is too long: what is not yet a whole record never will be one.
    package mutating func dropUnframed() {
        failure = nil
        store.removeRest()
        progress = .init()
        isFinished = true
    }

    // MARK: What leaves

    /// Adds to a run what may leave in it.
    private mutating func take(
        _ run: inout RecordFramer.Run, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) {
        if store.records == 0 {
            // The end of the stream may be an unfinished record, of which a notice after it would become a part.
            guard !isFinished || !isHeldUpByLoss else { return }
            run.bytes += store.takeBlank(
                framer: framer, limit: limit - run.bytes, isFirst: run.bytes == 0, sink: sink)
            return
        }
        guard !isHeldUpByLoss, run.records < credit else { return }
        let isFirst = run.bytes == 0 && store.entries.first.map { $0.bytes > limit } ?? false
        guard isFirst || run.bytes < limit else { return }
        let more = store.take(
            credit: credit - run.records, limit: isFirst ? nil : limit - run.bytes, isWhole: tellsLosses,
            takesBlank: !tellsLosses || !isFinished, sink: sink)
        guard more.run.records > 0 else { return }
        run.records += more.run.records
        run.bytes += more.run.bytes
        expected = more.next
        if keys != nil { index.prune(store.entries) }
    }

    /// The shortcut past the queue: hands on the record that was begun in it, and what follows in the chunk.
    ///
    /// - Returns: How many bytes of the chunk left; where that is any, so did all that was held.
    private mutating func pass(
        _ chunk: UnsafeRawBufferPointer, _ run: inout RecordFramer.Run, credit: Int, limit: Int,
        sink: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        let held = store.rest.count
        let room = limit - run.bytes - held
        guard framer.goesOn(behind: held), run.records < credit, room > 0 else { return 0 }
        let window = chunk.first(min(chunk.count, room))
        do throws(RecordFramer.Failure) {
            let more = try framer.run(
                in: window, held: held, upTo: credit - run.records, maximum: bounds.record)
            guard more.bytes > 0 else { return 0 }
            if held > 0 {
                sink(store.rest)
                store.removeRest()
            }
            progress = .init()
            sink(window.first(more.bytes))
            run.records += more.records
            run.bytes += held + more.bytes
            arrived += more.records
            if more.records > 0 { expected = arrived }
            return more.bytes
        } catch {
            failure = error
            return 0
        }
    }

    // MARK: What arrives

    /// Looks for records in what has not been looked at.
    private mutating func frame() {
        while let first = nextArrival() { arrived(first) }
        store.closeGap()
    }

    /// Takes of a chunk what a begun record lacks that has to be looked at in one piece.
    ///
    /// - Returns: How many bytes of the chunk.
    private mutating func complete(with chunk: UnsafeRawBufferPointer) -> Int {
        // In steps, as what is taken too much is copied twice.
        var (taken, step) = (0, framer.firstStep)
        while taken < chunk.count, failure == nil, !framer.goesOn(behind: store.rest.count) {
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

    /// The record, or what is blank, at the front of what has not been looked at; `nil` where none is whole.
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
