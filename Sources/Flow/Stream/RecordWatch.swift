/// Looks at an upstream's records as they arrive: counts them, and finds the one that ends the stream.
///
/// It reads the same bytes as the queue, but before they wait for the pace: what an upstream owes is judged by what it has
/// sent, not by what the client has taken. Only streams of routes that require something of their records have one.
///
/// Invariants (`RecordWatchTests`):
/// 1. The count does not depend on where the bytes are cut.
/// 2. It holds at most one record of the permitted length, or one chunk.
package struct RecordWatch: ~Copyable {
    private let framer: RecordFramer
    private let maximum: ByteCount
    private let end: EndRecord?
    private var content = ByteQueue()
    private var progress = RecordFramer.Progress()
    /// A record was too long; the queue reports that, and nothing more is counted.
    private var hasFailed = false
    /// Records that arrived whole.
    package private(set) var records = 0
    /// Whether the record that ends the stream has arrived.
    package private(set) var hasSeenEnd = false

    /// - Parameters:
    ///   - framer: Finds the records.
    ///   - maximum: The longest record, its end included.
    ///   - end: The record without which the stream is not complete; `nil` if there is none.
    package init(framer: RecordFramer, maximum: ByteCount, end: EndRecord?) {
        (self.framer, self.maximum, self.end) = (framer, maximum, end)
    }

    /// Whether the stream would be complete if it ended now.
    package var isComplete: Bool { end == nil || hasSeenEnd }

    /// The bytes of an unfinished record.
    package var heldBytes: Int { content.count }

    /// Takes the next bytes.
    ///
    /// - Parameter chunk: Any number of bytes, cut anywhere.
    /// - Complexity: O(bytes), and a look at each record if one ends the stream.
    package mutating func push(_ chunk: UnsafeRawBufferPointer) {
        guard !hasFailed else { return }
        if content.count == 0 {
            let whole = scan(chunk)
            if !hasFailed { content.append(chunk.from(whole)) }
        } else {
            content.append(chunk)
            let whole = scan(content.bytes)
            content.removeFirst(whole)
        }
        if hasFailed { content.removeAll() }
    }

    /// The upstream's response is complete: what is left is the last record, or blank.
    package mutating func finish() {
        guard !hasFailed, framer.last(in: content.bytes).records > 0 else { return }
        count(content.bytes)
        content.removeAll()
    }

    /// Counts the whole records at the front.
    ///
    /// - Returns: The number of their bytes.
    private mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Int {
        var whole = 0
        do throws(RecordFramer.Failure) {
            while whole < bytes.count {
                let rest = bytes.from(whole)
                let run = try framer.first(in: rest, from: &progress, maximum: maximum)
                guard run.bytes > 0 else { break }
                if run.records > 0 { count(rest.first(run.bytes)) }
                whole += run.bytes
            }
        } catch {
            hasFailed = true
        }
        return whole
    }

    private mutating func count(_ record: UnsafeRawBufferPointer) {
        records += 1
        if let end, !hasSeenEnd { hasSeenEnd = end.matches(record) }
    }
}
