package import HTTPText

/// Consecutive records of a shared stream as they arrived in one piece.
///
/// Immutable, so that all readers on all event loops send the same memory.
///
/// Blank bytes (heartbeats, empty lines) belong to the record after them; those after the last record to none.
package final class LogSegment: Sendable {
    /// What a segment takes in addition to its bytes: three arrays, an object and an entry of the log, about.
    private static let overhead = 192

    /// The records, framed once for all readers that have all before them.
    package let chunk: WholeChunk
    package let arrived: Instant
    /// The offset after each record.
    let ends: [Int]
    /// The key of each record; empty if records have none.
    let keys: [RecordKey?]
    /// The hash of each event's `id`; empty if no event has one.
    let eventIds: [RecordKey?]

    /// The bytes are at least one.
    init(
        _ bytes: UnsafeRawBufferPointer, ends: [Int], keys: [RecordKey?], eventIds: [RecordKey?], arrived: Instant
    ) {
        chunk = WholeChunk(bytes)
        (self.ends, self.keys, self.eventIds, self.arrived) = (ends, keys, eventIds, arrived)
    }

    /// Whole records.
    package var records: Int { ends.count }

    /// The memory that it takes, about.
    package var cost: Int { chunk.count + 8 * ends.count + 24 * (keys.count + eventIds.count) + Self.overhead }

    /// The offset of the first byte of a record, blank bytes before it included, or of what follows the last record.
    func start(of record: Int) -> Int { record == 0 ? 0 : ends[record - 1] }
}
