import Flow
import TestSupport
import Testing

/// What ``RecordQueue``, ``DroppingQueue`` and ``StreamQueue`` have in common.
protocol TestedQueue: ~Copyable {
    var records: Int { get }
    var bytes: Int { get }
    var hasOutput: Bool { get }
    var isEmpty: Bool { get }
    var peak: Int { get }
    var pendingBytes: Int { get set }

    mutating func push(
        _ chunk: UnsafeRawBufferPointer, credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run
    mutating func take(
        credit: Int, limit: Int, sink: (UnsafeRawBufferPointer) -> Void
    ) throws(RecordFramer.Failure) -> RecordFramer.Run
    mutating func finish() throws(RecordFramer.Failure)
    mutating func dropUnframed()
    mutating func setRecordBound(_ records: Int)
    mutating func putBack(_ bytes: UnsafeRawBufferPointer, records: Int)
}

extension RecordQueue: TestedQueue {}
extension DroppingQueue: TestedQueue {}
extension StreamQueue: TestedQueue {}

typealias RecordTap = QueueTap<RecordQueue>
typealias DroppingTap = QueueTap<DroppingQueue>
typealias StreamTap = QueueTap<StreamQueue>

/// A queue and its output; a class, because `#expect` cannot take a value that cannot be copied.
final class QueueTap<Queue: TestedQueue & ~Copyable> {
    fileprivate var queue: Queue
    /// All that the queue has passed on.
    private(set) var output: [UInt8] = []
    /// The output of the last call, piece by piece.
    private(set) var pieces: [String] = []
    /// The records that the queue has passed on, by its own count.
    private(set) var passedRecords = 0

    init(_ queue: consuming Queue) { self.queue = queue }

    var text: String { String(decoding: output, as: UTF8.self) }
    /// Records in the queue.
    var records: Int { queue.records }
    var bytes: Int { queue.bytes }
    var hasOutput: Bool { queue.hasOutput }
    var isEmpty: Bool { queue.isEmpty }
    var peak: Int { queue.peak }
    var pendingBytes: Int {
        get { queue.pendingBytes }
        set { queue.pendingBytes = newValue }
    }

    func finish() throws(RecordFramer.Failure) { try queue.finish() }
    func dropUnframed() { queue.dropUnframed() }
    func setRecordBound(_ records: Int) { queue.setRecordBound(records) }

    func putBack(_ bytes: [UInt8], records: Int) {
        bytes.withUnsafeBytes { queue.putBack($0, records: records) }
    }

    func putBack(_ text: String, records: Int) { putBack(Array(text.utf8), records: records) }

    @discardableResult func push(
        _ bytes: some Collection<UInt8>, credit: Int = 0, limit: Int = .max
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        let before = output.count
        pieces = []
        let run = try withOwnMemory(of: bytes) { chunk throws(RecordFramer.Failure) in
            try queue.push(chunk, credit: credit, limit: limit) { received($0) }
        }
        check(run, after: before)
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
        let before = output.count
        pieces = []
        let run = try queue.take(credit: credit, limit: limit) { received($0) }
        check(run, after: before)
        return run
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        #expect(bytes.count > 0)
        output += bytes
        pieces.append(String(decoding: bytes, as: UTF8.self))
    }

    private func check(_ run: RecordFramer.Run, after before: Int) {
        #expect(run.bytes == output.count - before, "the count is that of the bytes passed on")
        passedRecords += run.records
    }
}

/// A failed expectation reflects the tap, which the default mirror cannot do: it would copy the queue.
extension QueueTap: CustomReflectable {
    var customMirror: Mirror { Mirror(self, children: ["records": records, "bytes": bytes, "text": text]) }
}

extension QueueTap where Queue == RecordQueue {
    convenience init(
        _ framer: RecordFramer = .lines, records: Int = 100, bytes: Int = 1 << 20, record: Int = 1 << 18
    ) {
        self.init(
            RecordQueue(
                framer: framer, bounds: .init(records: records, bytes: ByteCount(bytes), record: ByteCount(record))))
    }

    var isFull: Bool { queue.isFull }
    var isLow: Bool { queue.isLow }

    /// Takes until nothing is passed on.
    func takeAll() throws(RecordFramer.Failure) {
        while try take().bytes > 0 {}
    }
}

extension QueueTap where Queue == DroppingQueue {
    convenience init(
        _ overflow: Overflow, records: Int = 100, bytes: Int = 1 << 20, record: Int = 1 << 18, hasKeys: Bool = false,
        reportsLosses: Bool = false, framer: RecordFramer = .lines
    ) {
        self.init(
            DroppingQueue(
                framer: framer, bounds: .init(records: records, bytes: ByteCount(bytes), record: ByteCount(record)),
                overflow: overflow, keys: hasKeys ? RecordTextKeys(FirstLetter(), in: framer) : nil,
                reportsLosses: reportsLosses))
    }

    var storedBytes: Int { queue.storedBytes }
    var arrived: Int { queue.arrived }
    var lost: Int { queue.lost }
    var lossAhead: Int { queue.lossAhead }
    var droppedBytes: Int { queue.droppedBytes }

    func lossReported() { queue.lossReported() }

    /// Takes until nothing is passed on, and returns what was.
    func rest() throws(RecordFramer.Failure) -> String {
        let before = output.count
        repeat { lossReported() } while try take().bytes > 0
        return String(decoding: output[before...], as: UTF8.self)
    }
}

extension QueueTap where Queue == StreamQueue {
    convenience init(_ overflow: Overflow, framer: RecordFramer = .lines) {
        self.init(
            StreamQueue(
                framer: framer, bounds: .init(records: 2, bytes: ByteCount(100), record: ByteCount(50)),
                overflow: overflow, reportsLosses: true))
    }

    var isFull: Bool { queue.isFull }
    var isLow: Bool { queue.isLow }
    var recordBound: Int { queue.bounds.records }
    var lost: Int { queue.lost }
    var lossAhead: Int { queue.lossAhead }
    var droppedBytes: Int { queue.droppedBytes }

    func lossReported() { queue.lossReported() }
}

/// Takes the first letter of a record for its key, if it is one from a to z.
struct FirstLetter: RecordKeyReader {
    func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        guard let first = record.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return nil }
        return RecordKey(UnsafeRawBufferPointer(rebasing: record[..<1]))
    }
}
