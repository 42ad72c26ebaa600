/// The queue of one stream: a pausing or a dropping queue with one interface.
///
/// The pausing queue is in the value itself, so that each of its calls costs one check of a reference; the dropping
/// queue, which is larger and rarer, is in an object of its own.
package struct StreamQueue: ~Copyable {
    private final class Dropping {
        var queue: DroppingQueue

        init(_ queue: consuming DroppingQueue) { self.queue = queue }
    }

    private var pausing: RecordQueue
    private let dropping: Dropping?

    /// Makes an empty queue.
    ///
    /// - Parameters:
    ///   - framer: Finds the records.
    ///   - bounds: The granted records and the bytes.
    ///   - overflow: `pause` and `disconnect` never drop; the others do, if there are records to drop.
    ///   - keys: For `latest`: the newest record of each key is kept, see ``RecordTextKeys``.
    ///   - reportsLosses: Whether each loss is reported to the client at its position, see ``DroppingQueue/lossReported()``.
    package init(
        framer: RecordFramer, bounds: RecordQueue.Bounds, overflow: Overflow = .pause,
        keys: (any RecordKeyReader)? = nil, reportsLosses: Bool = false
    ) {
        pausing = RecordQueue(framer: framer, bounds: bounds)
        dropping =
            switch overflow {
            case _ where framer == .opaque: nil
            case .pause, .disconnect: nil
            case .dropOldest, .dropNewest, .latest:
                Dropping(
                    DroppingQueue(
                        framer: framer, bounds: bounds, overflow: overflow, keys: keys, reportsLosses: reportsLosses))
            }
    }

    package var bounds: RecordQueue.Bounds { if let dropping { dropping.queue.bounds } else { pausing.bounds } }
    /// Whole records that are queued.
    package var records: Int { if let dropping { dropping.queue.records } else { pausing.records } }
    /// All queued bytes, those of an incomplete record included.
    package var bytes: Int { if let dropping { dropping.queue.bytes } else { pausing.bytes } }
    /// Whether it has one record and nothing else that could be sent.
    package var hasOneRecordOnly: Bool {
        if let dropping { dropping.queue.records == 1 } else { pausing.hasOneRecordOnly }
    }
    /// Whether `take` would return anything after all losses are reported.
    package var hasOutput: Bool { if let dropping { dropping.queue.hasOutput } else { pausing.hasOutput } }
    /// The memory of the queue: ``bytes``, and those of dropped records between others.
    package var storedBytes: Int { if let dropping { dropping.queue.storedBytes } else { pausing.bytes } }
    /// The memory that is allocated for the queue, of a dropping queue ``storedBytes``.
    package var allocatedBytes: Int {
        if let dropping { dropping.queue.storedBytes } else { pausing.allocatedBytes }
    }
    /// Bytes of the stream that were passed on and not taken: they count towards the byte bound as the queued ones do.
    package var pendingBytes: Int {
        get { if let dropping { dropping.queue.pendingBytes } else { pausing.pendingBytes } }
        set { if let dropping { dropping.queue.pendingBytes = newValue } else { pausing.pendingBytes = newValue } }
    }
    /// Whether whole records can pass it: nothing is before them, and none replaces another.
    package var canBePassed: Bool { dropping == nil && pausing.isEmpty }
    package var isEmpty: Bool { if let dropping { dropping.queue.isEmpty } else { pausing.isEmpty } }
    /// Whether the upstream must pause; never if records are dropped instead.
    package var isFull: Bool { dropping == nil && pausing.isFull }
    /// Whether half the queue is free again; always if the upstream never pauses.
    package var isLow: Bool { dropping != nil || pausing.isLow }
    package var level: QueueLevel { isFull ? .full : isLow ? .low : .middle }
    /// The most records that were queued at once.
    package var peak: Int { if let dropping { dropping.queue.peak } else { pausing.peak } }
    /// All records that were dropped.
    package var lost: Int { dropping?.queue.lost ?? 0 }
    /// All bytes that were dropped.
    package var droppedBytes: Int { dropping?.queue.droppedBytes ?? 0 }
    /// Records that were lost before the next one to send, see ``DroppingQueue/lossAhead``.
    package var lossAhead: Int { dropping?.queue.lossAhead ?? 0 }

    /// The loss ahead was reported to the client.
    package mutating func lossReported() { dropping?.queue.lossReported() }

    /// Takes the next bytes of the upstream, see ``RecordQueue/push(_:credit:limit:sink:)``.
    package mutating func push(
        _ chunk: UnsafeRawBufferPointer, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        guard let dropping else { return try pausing.push(chunk, credit: credit, limit: limit, sink: sink) }
        return try dropping.queue.push(chunk, credit: credit, limit: limit, sink: sink)
    }

    /// The bytes of a chunk to push before the records that may be sent are taken, so that no record displaces one of these.
    ///
    /// All of them if none can: under `pause`, and under `latest`, where the newest of a chunk is wanted. Else up to an LF,
    /// with which at most one record of most inputs ends.
    package func step(of chunk: UnsafeRawBufferPointer) -> Int {
        guard let dropping, dropping.queue.overflow != .latest else { return chunk.count }
        return chunk.offset(of: .lineFeed, in: 0..<chunk.count).map { $0 + 1 } ?? chunk.count
    }

    /// Passes on records that may be sent now, see ``RecordQueue/take(credit:limit:sink:)``.
    package mutating func take(
        credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        guard let dropping else { return try pausing.take(credit: credit, limit: limit, sink: sink) }
        return try dropping.queue.take(credit: credit, limit: limit, sink: sink)
    }

    /// The upstream has ended, see ``RecordQueue/finish()``.
    package mutating func finish() throws(RecordFramer.Failure) {
        if let dropping { try dropping.queue.finish() } else { try pausing.finish() }
    }

    /// The upstream failed: an incomplete record will not be completed.
    package mutating func dropUnframed() {
        if let dropping { dropping.queue.dropUnframed() } else { pausing.dropUnframed() }
    }

    /// Sets the granted number of records.
    package mutating func setRecordBound(_ records: Int) {
        if let dropping { dropping.queue.setRecordBound(records) } else { pausing.setRecordBound(records) }
    }

    /// Sets the high mark in bytes; nothing changes if records are dropped.
    package mutating func setByteBound(_ bytes: ByteCount) { if dropping == nil { pausing.setByteBound(bytes) } }

    /// Inserts records before the first that were passed on and not received.
    package mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int) {
        if let dropping {
            dropping.queue.putBack(bytes, records: records)
        } else {
            pausing.putBack(bytes, records: records)
        }
    }
}
