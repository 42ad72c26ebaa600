/// The queue of one stream: one that makes the upstream wait, or one that drops, behind the same calls.
///
/// The first stands in the value itself, so that for it each call costs one look at a reference; the other, which is
/// larger and rarer, in an object of its own.
package struct StreamQueue: ~Copyable {
    private final class Dropping {
        var queue: DroppingQueue

        init(_ queue: consuming DroppingQueue) { self.queue = queue }
    }

    private var waiting: RecordQueue
    private let dropping: Dropping?

    /// - Parameters:
    ///   - framer: What a record is.
    ///   - bounds: The granted records and the bytes.
    ///   - overflow: `pause` and `disconnect` never drop; the others do, where there are records to tell apart.
    ///   - keys: For `latest`: the newest record of each key stays, see ``RecordTextKeys``.
    ///   - tellsLosses: Whether the client is told of each loss in its place, see ``DroppingQueue/lossTold()``.
    package init(
        framer: RecordFramer, bounds: RecordQueue.Bounds, overflow: Overflow = .pause,
        keys: (any RecordKeyReader)? = nil, tellsLosses: Bool = false
    ) {
        waiting = RecordQueue(framer: framer, bounds: bounds)
        dropping =
            switch overflow {
            case _ where framer == .opaque: nil
            case .pause, .disconnect: nil
            case .dropOldest, .dropNewest, .latest:
                Dropping(
                    DroppingQueue(
                        framer: framer, bounds: bounds, overflow: overflow, keys: keys, tellsLosses: tellsLosses))
            }
    }

    package var bounds: RecordQueue.Bounds { if let dropping { dropping.queue.bounds } else { waiting.bounds } }
    /// Whole records that are queued.
    package var records: Int { if let dropping { dropping.queue.records } else { waiting.records } }
    /// All bytes that are queued, those of an unfinished record included.
    package var bytes: Int { if let dropping { dropping.queue.bytes } else { waiting.bytes } }
    /// Whether a `take` would tell anything, once no untold loss stands in front.
    package var hasOutput: Bool { if let dropping { dropping.queue.hasOutput } else { waiting.hasOutput } }
    /// The memory that all of it takes: ``bytes``, and those of dropped records that are between others.
    package var heldBytes: Int { if let dropping { dropping.queue.heldBytes } else { waiting.bytes } }
    /// Bytes of the stream that were handed over and not taken: they count towards the byte bound as those queued do.
    package var pendingBytes: Int {
        get { if let dropping { dropping.queue.pendingBytes } else { waiting.pendingBytes } }
        set { if let dropping { dropping.queue.pendingBytes = newValue } else { waiting.pendingBytes = newValue } }
    }
    package var isEmpty: Bool { if let dropping { dropping.queue.isEmpty } else { waiting.isEmpty } }
    /// Whether the upstream must pause; never where records are dropped instead.
    package var isFull: Bool { dropping == nil && waiting.isFull }
    /// Whether half the room is free again; always where the upstream never pauses.
    package var isLow: Bool { dropping != nil || waiting.isLow }
    package var level: QueueLevel { isFull ? .full : isLow ? .low : .middle }
    /// The most records that were queued at once.
    package var peak: Int { if let dropping { dropping.queue.peak } else { waiting.peak } }
    /// All records that were dropped.
    package var lost: Int { dropping?.queue.lost ?? 0 }
    /// All bytes that were dropped.
    package var droppedBytes: Int { dropping?.queue.droppedBytes ?? 0 }
    /// Records that were lost in front of the one that would leave next, see ``DroppingQueue/lossAhead``.
    package var lossAhead: Int { dropping?.queue.lossAhead ?? 0 }

    /// The client has been told of the loss ahead.
    package mutating func lossTold() { dropping?.queue.lossTold() }

    /// Takes the next bytes of the upstream, see ``RecordQueue/push(_:credit:limit:sink:)``.
    package mutating func push(
        _ chunk: UnsafeRawBufferPointer, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        guard let dropping else { return try waiting.push(chunk, credit: credit, limit: limit, sink: sink) }
        return try dropping.queue.push(chunk, credit: credit, limit: limit, sink: sink)
    }

    /// Hands over records that may leave now, see ``RecordQueue/take(credit:limit:sink:)``.
    package mutating func take(
        credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        guard let dropping else { return try waiting.take(credit: credit, limit: limit, sink: sink) }
        return try dropping.queue.take(credit: credit, limit: limit, sink: sink)
    }

    /// The upstream has ended, see ``RecordQueue/finish()``.
    package mutating func finish() throws(RecordFramer.Failure) {
        if let dropping { try dropping.queue.finish() } else { try waiting.finish() }
    }

    /// The upstream broke off: what is not yet a whole record never will be one.
    package mutating func dropUnframed() {
        if let dropping { dropping.queue.dropUnframed() } else { waiting.dropUnframed() }
    }

    /// So many records are granted from now on.
    package mutating func setRecordBound(_ records: Int) {
        if let dropping { dropping.queue.setRecordBound(records) } else { waiting.setRecordBound(records) }
    }

    /// Puts records in front that were handed over and not received.
    package mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int) {
        if let dropping {
            dropping.queue.putBack(bytes, records: records)
        } else {
            waiting.putBack(bytes, records: records)
        }
    }
}
