import Flow
import Testing

@Suite struct StreamQueueTests {
    @Test(arguments: [Overflow.pause, .disconnect]) func waitsWhereNothingMayBeLost(overflow: Overflow) throws {
        let tap = StreamTap(overflow)
        try tap.push("1\n2\n3\n")
        #expect(tap.isFull && !tap.isLow)
        #expect(tap.records == 2 && tap.bytes == 6 && tap.peak == 2)
        tap.setRecordBound(3)
        #expect(tap.records == 3 && tap.recordBound == 3)
        #expect(try tap.take().records == 3)
        tap.putBack("3\n", records: 1)
        #expect(tap.hasOutput)
        #expect(try tap.take().records == 1)
        #expect(tap.text == "1\n2\n3\n3\n")
        #expect(tap.isEmpty && tap.lost == 0 && tap.lossAhead == 0 && tap.droppedBytes == 0)
    }

    @Test func dropsAndIsNeverFull() throws {
        let tap = StreamTap(.dropOldest)
        try tap.push("1\n2\n3\n4")
        #expect(!tap.isFull && tap.isLow && tap.hasOutput)
        #expect(tap.records == 2 && tap.bytes == 5 && tap.peak == 2)
        #expect(tap.lost == 1 && tap.lossAhead == 1 && tap.droppedBytes == 2)
        #expect(try tap.take().records == 0)
        tap.lossReported()
        tap.setRecordBound(3)
        #expect(tap.recordBound == 3)
        try tap.finish()
        #expect(try tap.take().records == 3)
        tap.putBack("4", records: 1)
        #expect(try tap.take().records == 1)
        #expect(tap.text == "2\n3\n44")
        #expect(tap.isEmpty)
    }

    @Test(arguments: Overflow.allCases) func keepsAllOfWhatHasNoRecords(overflow: Overflow) throws {
        let tap = StreamTap(overflow, framer: .opaque)
        try tap.push(String(repeating: "x", count: 200), limit: 0)
        #expect(tap.isFull)
        #expect(tap.lost == 0)
        try tap.take()
        #expect(tap.output.count == 200)
    }

    @Test(arguments: [Overflow.pause, .latest]) func anIncompleteRecordOfAFailedStreamIsDropped(overflow: Overflow)
        throws
    {
        let tap = StreamTap(overflow)
        try tap.push("1\n2")
        tap.dropUnframed()
        #expect(try tap.take().records == 1)
        #expect(tap.text == "1\n" && tap.isEmpty)
    }
}
