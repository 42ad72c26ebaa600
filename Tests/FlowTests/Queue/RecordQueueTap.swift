import Flow
import TestSupport
import Testing

/// A queue and what came out of it; a class, because `#expect` can look at no value that cannot be copied.
final class QueueTap {
    private var queue: RecordQueue
    private(set) var output: [UInt8] = []
    /// Records that the queue said to have handed over.
    private(set) var records = 0

    init(_ framer: RecordFramer = .lines, records: Int = 100, bytes: Int = 1 << 20, record: Int = 1 << 18) {
        queue = RecordQueue(
            framer: framer, bounds: .init(records: records, bytes: ByteCount(bytes), record: ByteCount(record)))
    }

    var text: String { String(decoding: output, as: UTF8.self) }
    /// Records in the queue.
    var queued: Int { queue.records }
    var bytes: Int { queue.bytes }
    var hasOutput: Bool { queue.hasOutput }
    var isEmpty: Bool { queue.isEmpty }
    var isFull: Bool { queue.isFull }
    var isLow: Bool { queue.isLow }
    var peak: Int { queue.peak }
    var pendingBytes: Int {
        get { queue.pendingBytes }
        set { queue.pendingBytes = newValue }
    }

    func finish() throws(RecordFramer.Failure) { try queue.finish() }

    func dropUnframed() { queue.dropUnframed() }

    func setRecordBound(_ records: Int) { queue.setRecordBound(records) }

    func putBack(_ text: String, records: Int) {
        Array(text.utf8).withUnsafeBytes { queue.putBack($0, records: records) }
    }

    @discardableResult func push(
        _ bytes: some Collection<UInt8>, credit: Int = 0, limit: Int = .max
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var out: [UInt8] = []
        let run = try withOwnMemory(of: bytes) { chunk throws(RecordFramer.Failure) in
            try queue.push(chunk, credit: credit, limit: limit) { out += $0 }
        }
        count(out, run)
        return run
    }

    @discardableResult func push(
        _ text: String, credit: Int = 0, limit: Int = .max
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        try push(text.utf8, credit: credit, limit: limit)
    }

    @discardableResult func take(
        _ credit: Int = .max, limit: Int = .max
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        var out: [UInt8] = []
        let run = try queue.take(credit: credit, limit: limit) { out += $0 }
        count(out, run)
        return run
    }

    /// Takes until nothing more comes.
    func takeAll() throws(RecordFramer.Failure) {
        while try take().bytes > 0 {}
    }

    private func count(_ out: [UInt8], _ run: RecordFramer.Run) {
        #expect(run.bytes == out.count, "what left is what was counted")
        output += out
        records += run.records
    }
}
