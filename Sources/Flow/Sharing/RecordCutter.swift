/// Cuts the bytes of an upstream into segments of whole records, once for all readers.
///
/// Invariants (`RecordCutterTests`):
/// 1. The segments together are the bytes that were pushed, whatever the cuts, up to the last whole record.
/// 2. After ``cut(at:)`` it holds less than one record of the permitted length.
package struct RecordCutter: ~Copyable {
    private let framer: RecordFramer
    private let maximum: ByteCount
    private let keys: (any RecordKeyReader)?
    private var content = ByteQueue()
    private var progress = RecordFramer.Progress()
    /// Set when a record was too long; the segments before it are complete, and nothing follows.
    package private(set) var failure: RecordFramer.Failure?

    /// - Parameters:
    ///   - framer: Finds the records.
    ///   - maximum: The longest record, its end included.
    ///   - keys: Reads the key of each record; `nil` if it is not needed.
    package init(framer: RecordFramer, maximum: ByteCount, keys: (any RecordKeyReader)? = nil) {
        (self.framer, self.maximum, self.keys) = (framer, maximum, keys)
    }

    /// The bytes of an unfinished record, and those that were not cut.
    package var heldBytes: Int { content.count }

    /// Takes the next bytes, any number of them, cut anywhere.
    package mutating func push(_ chunk: UnsafeRawBufferPointer) {
        if failure == nil { content.append(chunk) }
    }

    /// Cuts off the records that are whole.
    ///
    /// - Parameter now: When they arrived.
    /// - Returns: The records; `nil` if none is whole, and there is no blank.
    /// - Complexity: O(bytes that were pushed since the last call), and reading each record's key.
    package mutating func cut(at now: Instant) -> LogSegment? {
        guard failure == nil else { return nil }
        var ends: [Int] = []
        var whole = 0
        do throws(RecordFramer.Failure) {
            while whole < content.count {
                let run = try framer.first(in: content.bytes.from(whole), from: &progress, maximum: maximum)
                guard run.bytes > 0 else { break }
                whole += run.bytes
                if run.records > 0 { ends.append(whole) }
            }
        } catch {
            failure = error
        }
        return takeSegment(whole, ends, at: now)
    }

    /// The upstream's response is complete: what is left is the last record, or blank.
    ///
    /// - Returns: `nil` if nothing is left.
    package mutating func finish(at now: Instant) -> LogSegment? {
        guard failure == nil else { return nil }
        let last = framer.last(in: content.bytes)
        return takeSegment(last.bytes, last.records > 0 ? [last.bytes] : [], at: now)
    }

    private mutating func takeSegment(_ whole: Int, _ ends: [Int], at now: Instant) -> LogSegment? {
        guard whole > 0 else { return nil }
        let bytes = content.bytes.first(whole)
        let segment = LogSegment(
            bytes, ends: ends,
            keys: keys.map { keys in each(ends, of: bytes) { keys.key(of: $0) } } ?? [],
            eventIds: eventIds(ends, of: bytes), arrived: now)
        content.removeFirst(whole)
        return segment
    }

    private func eventIds(_ ends: [Int], of bytes: UnsafeRawBufferPointer) -> [RecordKey?] {
        guard framer == .events else { return [] }
        let ids = each(ends, of: bytes) { block in
            EventBlock.id(in: block).map { RecordKey(UnsafeRawBufferPointer(rebasing: block[$0])) }
        }
        return ids.contains { $0 != nil } ? ids : []
    }

    private func each(
        _ ends: [Int], of bytes: UnsafeRawBufferPointer, _ read: (UnsafeRawBufferPointer) -> RecordKey?
    ) -> [RecordKey?] {
        var start = 0
        return ends.map { end in
            defer { start = end }
            return read(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
    }
}
