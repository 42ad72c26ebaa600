/// The last records that were handed to a client, for the case that it comes back and has not received them.
///
/// Records are counted from the first of the stream: `oldest` have left this buffer for good, and `delivered` have been
/// handed over. It looks for the ends of records only where some go or come back; what is appended is copied, once.
///
/// Bound by ``trim(records:bytes:)``, which follows each ``append(_:records:)``. Empty, it holds no memory.
package struct ReplayBuffer: ~Copyable {
    /// What can be given again.
    package enum Rewind: Equatable, Sendable {
        /// So many records, which are no longer here.
        case unread(records: Int)
        /// Not all: the first record that still can is this one, counted from 1.
        case gone(from: Int)
        /// The client says to have received more than was handed over.
        case neverSent
    }

    private let framer: RecordFramer
    private var content = ByteQueue()
    /// Records that were handed over and not taken back.
    package private(set) var delivered = 0
    /// Records that are kept.
    package private(set) var records = 0

    package init(framer: RecordFramer) { self.framer = framer }

    package var bytes: Int { content.count }
    /// Records that can no longer be given again.
    package var oldest: Int { delivered - records }

    /// These bytes were handed over: whole records, and what is blank.
    ///
    /// - Parameters:
    ///   - bytes: All or a part of what one `take` or `push` of the queue gave.
    ///   - count: How many records end in it; those of one call may be counted with its last part.
    package mutating func append(_ bytes: UnsafeRawBufferPointer, records count: Int) {
        content.append(bytes)
        delivered += count
        records += count
    }

    /// Whole records go, the oldest first, until at most so many records and bytes are kept.
    ///
    /// - Complexity: O(bytes of those that go).
    package mutating func trim(records mostRecords: Int, bytes mostBytes: Int) {
        let (mostRecords, mostBytes) = (max(0, mostRecords), max(0, mostBytes))
        guard records > mostRecords || content.count > mostBytes else { return }
        var run = front(records: max(0, records - mostRecords))
        while content.count - run.bytes > mostBytes {
            let next = front(records: 1, from: run.bytes)
            run.records += next.records
            run.bytes += next.bytes
        }
        content.removeFirst(run.bytes)
        records -= min(run.records, records)  // what is behind the last record may be blank
        if records == 0 { content.removeAll() }
    }

    /// Gives back what a client has not received.
    ///
    /// - Parameters:
    ///   - received: How many records of the stream it has received.
    ///   - body: Receives those that it has not, to be put back in front of the queue; called only for `unread` of at
    ///     least one record.
    /// - Returns: Whether it was given, or why not; then nothing has changed.
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

    /// The first so many records behind a place; the last of the stream may have no end.
    private func front(records wanted: Int, from start: Int = 0) -> RecordFramer.Run {
        guard wanted > 0 else { return RecordFramer.Run(records: 0, bytes: 0) }
        let rest = UnsafeRawBufferPointer(rebasing: content.bytes[start...])
        // They were not too long when they were handed over.
        let found = try? framer.run(in: rest, upTo: wanted, maximum: ByteCount(rest.count))
        guard let found, found.records == wanted else { return RecordFramer.Run(records: wanted, bytes: rest.count) }
        return found
    }
}
