/// The last records that were sent to a client, kept for a resumption by a client that has not received them.
///
/// Records are counted from the first of the stream: `oldest` were removed from this buffer, and `delivered` were sent.
/// It searches for the ends of records only when some are removed or returned; appended bytes are copied once.
///
/// Bounded by ``trim(records:bytes:)``, which follows each ``append(_:records:)``. Empty, it holds no memory.
package struct ReplayBuffer: ~Copyable {
    /// The result of a rewind.
    package enum Rewind: Equatable, Sendable {
        /// This many records were returned and removed from the buffer.
        case unread(records: Int)
        /// Not all can be returned: the first one that can is this one, counted from 1.
        case gone(from: Int)
        /// The client reports more records than were sent.
        case neverSent
    }

    private let framer: RecordFramer
    private var content = ByteQueue()
    /// Records that were sent and not returned.
    package private(set) var delivered = 0
    /// Records that are kept.
    package private(set) var records = 0
    /// Losses that were reported between them.
    private var losses = LossMarks()

    package init(framer: RecordFramer) { self.framer = framer }

    package var bytes: Int { content.count }
    package var size: ResumableBounds.Size { .init(records: records, bytes: bytes) }
    /// Records that can no longer be returned.
    package var oldest: Int { delivered - records }

    /// These bytes were sent: whole records, and blank bytes.
    ///
    /// - Parameters:
    ///   - bytes: All or a part of the bytes of one `take` or `push` of the queue.
    ///   - count: The number of records that end in it; those of one call may be counted with its last part.
    package mutating func append(_ bytes: UnsafeRawBufferPointer, records count: Int) {
        content.append(bytes)
        delivered += count
        records += count
    }

    /// A loss was reported after everything that was sent.
    package mutating func lossReported(_ lost: Int) {
        if lost > 0 { losses.add(lost, after: delivered) }
    }

    /// Takes the losses that were reported after the first `received` records.
    ///
    /// A client that has these records and no more may not have got the report of a loss right after them.
    package mutating func takeLosses(after received: Int) -> LossMarks { losses.take(from: received) }

    /// Removes whole records, the oldest first, until at most this many records and bytes are kept.
    ///
    /// - Complexity: O(bytes of the removed records).
    package mutating func trim(records mostRecords: Int, bytes mostBytes: Int) {
        let (mostRecords, mostBytes) = (max(0, mostRecords), max(0, mostBytes))
        defer { if !losses.isEmpty { losses.forget(before: oldest) } }
        guard records > mostRecords || content.count > mostBytes else { return }
        var run = front(records: max(0, records - mostRecords))
        while content.count - run.bytes > mostBytes {
            let next = front(records: 1, from: run.bytes)
            run.records += next.records
            run.bytes += next.bytes
        }
        content.removeFirst(run.bytes)
        records -= min(run.records, records)  // the bytes after the last record may be blank
        if records == 0 { content.removeAll() }
    }

    /// Returns the records that a client has not received.
    ///
    /// - Parameters:
    ///   - received: The number of records of the stream that it has received.
    ///   - body: Receives the others, to be inserted at the front of the queue; called only for `unread` of at least
    ///     one record.
    /// - Returns: Whether they were returned, or the reason; then nothing has changed.
    package mutating func rewind(
        after received: Int, _ body: (_ bytes: UnsafeRawBufferPointer, _ records: Int) -> Void
    ) -> Rewind {
        guard received <= delivered else { return .neverSent }
        guard received >= oldest else { return .gone(from: oldest + 1) }
        let unread = delivered - received
        guard unread > 0 else { return .unread(records: 0) }
        let kept = front(records: records - unread)
        body(UnsafeRawBufferPointer(rebasing: content.bytes[kept.bytes...]), unread)
        content.removeLast(content.count - kept.bytes)
        delivered = received
        records = kept.records
        return .unread(records: unread)
    }

    /// The number of records up to an event with this id, as the reader's `Last-Event-ID` reports it.
    ///
    /// The id of a block without data counts as well, since a reader keeps it (HTML, section 9.2.6).
    ///
    /// - Parameter id: Made of the id's bytes.
    /// - Returns: `nil` if no event that is kept has the id, or several have it, of which the reader may have any.
    /// - Complexity: O(bytes that are kept).
    package func received(through id: RecordKey) -> Int? {
        guard framer == .events else { return nil }
        var found: Int?
        var (position, start) = (oldest, 0)
        while start < content.count {
            let rest = UnsafeRawBufferPointer(rebasing: content.bytes[start...])
            // They were not too long when they were sent; what follows the last whole block is no event.
            guard let block = try? framer.first(in: rest, maximum: ByteCount(rest.count)), block.bytes > 0 else {
                break
            }
            position += block.records
            start += block.bytes
            let bytes = rest.first(block.bytes)
            guard let value = EventBlock.id(in: bytes), RecordKey(UnsafeRawBufferPointer(rebasing: bytes[value])) == id
            else { continue }
            guard found == nil || found == position else { return nil }
            found = position
        }
        return found
    }

    /// The first records after an offset; the last record of the stream may have no end.
    private func front(records wanted: Int, from start: Int = 0) -> RecordFramer.Run {
        guard wanted > 0 else { return RecordFramer.Run(records: 0, bytes: 0) }
        let rest = UnsafeRawBufferPointer(rebasing: content.bytes[start...])
        // They were not too long when they were sent.
        let found = try? framer.run(in: rest, upTo: wanted, maximum: ByteCount(rest.count))
        guard let found, found.records == wanted else { return RecordFramer.Run(records: wanted, bytes: rest.count) }
        return found
    }
}
