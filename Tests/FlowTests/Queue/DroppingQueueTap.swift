import Flow
import TestSupport
import Testing

/// A queue that drops and what came out of it; a class, because `#expect` can look at no value that cannot be copied.
final class DroppingTap {
    private var queue: DroppingQueue
    private(set) var output: [UInt8] = []
    /// The last call's output, each piece that the sink got.
    private(set) var pieces: [String] = []

    init(
        _ overflow: Overflow, records: Int = 100, bytes: Int = 1 << 20, record: Int = 1 << 18, hasKeys: Bool = false,
        reportsLosses: Bool = false, framer: RecordFramer = .lines
    ) {
        queue = DroppingQueue(
            framer: framer, bounds: .init(records: records, bytes: ByteCount(bytes), record: ByteCount(record)),
            overflow: overflow, keys: hasKeys ? RecordTextKeys(FirstLetter(), in: framer) : nil,
            reportsLosses: reportsLosses)
    }

    var text: String { String(decoding: output, as: UTF8.self) }
    var queued: Int { queue.records }
    var bytes: Int { queue.bytes }
    var storedBytes: Int { queue.storedBytes }
    var hasOutput: Bool { queue.hasOutput }
    var isEmpty: Bool { queue.isEmpty }
    var peak: Int { queue.peak }
    var pendingBytes: Int {
        get { queue.pendingBytes }
        set { queue.pendingBytes = newValue }
    }
    var arrived: Int { queue.arrived }
    var lost: Int { queue.lost }
    var lossAhead: Int { queue.lossAhead }
    var droppedBytes: Int { queue.droppedBytes }

    func lossReported() { queue.lossReported() }
    func setRecordBound(_ records: Int) { queue.setRecordBound(records) }
    func finish() throws(RecordFramer.Failure) { try queue.finish() }
    func dropUnframed() { queue.dropUnframed() }

    func putBack(_ bytes: [UInt8], records: Int) {
        bytes.withUnsafeBytes { queue.putBack($0, records: records) }
    }

    @discardableResult func push(
        _ bytes: some Collection<UInt8>, credit: Int = 0, limit: Int = .max
    ) throws(RecordFramer.Failure) -> RecordFramer.Run {
        pieces = []
        let run = try withOwnMemory(of: bytes) { chunk throws(RecordFramer.Failure) in
            try queue.push(chunk, credit: credit, limit: limit) { received($0) }
        }
        check(run)
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
        pieces = []
        let run = try queue.take(credit: credit, limit: limit) { received($0) }
        check(run)
        return run
    }

    /// Takes until nothing more comes, and says what came.
    func rest() throws(RecordFramer.Failure) -> String {
        let before = output.count
        repeat { lossReported() } while try take().bytes > 0
        return String(decoding: output[before...], as: UTF8.self)
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        #expect(bytes.count > 0)
        output += bytes
        pieces.append(String(decoding: bytes, as: UTF8.self))
    }

    private func check(_ run: RecordFramer.Run) {
        #expect(run.bytes == pieces.reduce(0) { $0 + $1.utf8.count }, "what left is what was counted")
    }
}

/// A record's key is its first letter, where it begins with a small one.
struct FirstLetter: RecordKeyReader {
    func key(of record: UnsafeRawBufferPointer) -> RecordKey? {
        guard let first = record.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return nil }
        return RecordKey(UnsafeRawBufferPointer(rebasing: record[..<1]))
    }
}
