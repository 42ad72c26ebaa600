import Flow
import Testing

@Suite struct StreamQueueTests {
    /// A queue in a class, because `#expect` can look at no value that cannot be copied.
    private final class Tap {
        private var queue: StreamQueue
        var output = ""

        init(_ overflow: Overflow, framer: RecordFramer = .lines) {
            queue = StreamQueue(
                framer: framer, bounds: .init(records: 2, bytes: ByteCount(100), record: ByteCount(50)),
                overflow: overflow, reportsLosses: true)
        }

        var records: Int { queue.records }
        var bytes: Int { queue.bytes }
        var peak: Int { queue.peak }
        var lost: Int { queue.lost }
        var lossAhead: Int { queue.lossAhead }
        var droppedBytes: Int { queue.droppedBytes }
        var isFull: Bool { queue.isFull }
        var isLow: Bool { queue.isLow }
        var hasOutput: Bool { queue.hasOutput }
        var isEmpty: Bool { queue.isEmpty }
        var recordBound: Int { queue.bounds.records }

        func setRecordBound(_ records: Int) { queue.setRecordBound(records) }
        func lossReported() { queue.lossReported() }
        func finish() throws { try queue.finish() }
        func dropUnframed() { queue.dropUnframed() }
        func putBack(_ text: String) { Array(text.utf8).withUnsafeBytes { queue.putBack($0, records: 1) } }

        func push(_ text: String, credit: Int = 0) throws -> Int {
            try Array(text.utf8).withUnsafeBytes {
                try queue.push($0, credit: credit, limit: credit == 0 ? 0 : .max) {
                    output += String(decoding: $0, as: UTF8.self)
                }
                .records
            }
        }

        func take() throws -> Int {
            try queue.take(credit: .max, limit: .max) { output += String(decoding: $0, as: UTF8.self) }.records
        }
    }

    @Test(arguments: [Overflow.pause, .disconnect]) func waitsWhereNothingMayBeLost(overflow: Overflow) throws {
        let tap = Tap(overflow)
        _ = try tap.push("1\n2\n3\n")
        #expect(tap.isFull && !tap.isLow)
        #expect(tap.records == 2 && tap.bytes == 6 && tap.peak == 2)
        tap.setRecordBound(3)
        #expect(tap.records == 3 && tap.recordBound == 3)
        #expect(try tap.take() == 3)
        tap.putBack("3\n")
        #expect(tap.hasOutput)
        #expect(try tap.take() == 1)
        #expect(tap.output == "1\n2\n3\n3\n")
        #expect(tap.isEmpty && tap.lost == 0 && tap.lossAhead == 0 && tap.droppedBytes == 0)
    }

    @Test func dropsAndIsNeverFull() throws {
        let tap = Tap(.dropOldest)
        _ = try tap.push("1\n2\n3\n4")
        #expect(!tap.isFull && tap.isLow && tap.hasOutput)
        #expect(tap.records == 2 && tap.bytes == 5 && tap.peak == 2)
        #expect(tap.lost == 1 && tap.lossAhead == 1 && tap.droppedBytes == 2)
        #expect(try tap.take() == 0)
        tap.lossReported()
        tap.setRecordBound(3)
        #expect(tap.recordBound == 3)
        try tap.finish()
        #expect(try tap.take() == 3)
        tap.putBack("4")
        #expect(try tap.take() == 1)
        #expect(tap.output == "2\n3\n44")
        #expect(tap.isEmpty)
    }

    @Test(arguments: Overflow.allCases) func keepsAllOfWhatHasNoRecords(overflow: Overflow) throws {
        let tap = Tap(overflow, framer: .opaque)
        _ = try tap.push(String(repeating: "x", count: 200))
        #expect(tap.isFull)
        #expect(tap.lost == 0)
        _ = try tap.take()
        #expect(tap.output.utf8.count == 200)
    }

    @Test(arguments: [Overflow.pause, .latest]) func halfARecordOfABrokenStreamGoes(overflow: Overflow) throws {
        let tap = Tap(overflow)
        _ = try tap.push("1\n2")
        tap.dropUnframed()
        #expect(try tap.take() == 1)
        #expect(tap.output == "1\n" && tap.isEmpty)
    }
}
