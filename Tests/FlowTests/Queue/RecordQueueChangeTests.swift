import Flow
import Testing

/// What changes while a stream runs: the granted number, and records that come back.
@Suite struct RecordQueueChangeTests {
    @Test func moreGrantedRecordsAreFoundAtOnce() throws {
        let tap = RecordTap(records: 1)
        try tap.push("1\n2\n3\n4")
        tap.setRecordBound(3)
        #expect(tap.records == 3)
        #expect(tap.isFull)
        tap.setRecordBound(8)
        #expect(!tap.isFull)
    }

    @Test func fewerGrantedRecordsLeaveTheQueueFullUntilItHasDrained() throws {
        let tap = RecordTap(records: 4)
        try tap.push("1\n2\n3\n4\n5\n6\n")
        tap.setRecordBound(2)
        #expect(tap.records == 4)
        #expect(tap.isFull)
        try tap.take(1)
        #expect(tap.records == 3)
        try tap.take(2)
        #expect(tap.records == 2, "no more are searched")
        #expect(tap.isFull)
        try tap.finish()
        try tap.takeAll()
        #expect(tap.text == "1\n2\n3\n4\n5\n6\n")
    }

    @Test func theBoundIsNeverBelowOneRecord() throws {
        let tap = RecordTap()
        tap.setRecordBound(0)
        try tap.push("1\n2\n")
        #expect(tap.records == 1)
    }

    @Test func aRecordThatIsTooLongIsFoundAfterALoweredBound() throws {
        let tap = RecordTap(records: 2, record: 4)
        try tap.push("1\n2\n3\n12345\n")
        tap.setRecordBound(1)
        #expect(throws: RecordFramer.Failure.self) { try tap.takeAll() }
        #expect(tap.text == "1\n2\n3\n")
    }

    @Test func whatIsPutBackLeavesFirst() throws {
        let tap = RecordTap(records: 2)
        try tap.push("3\n4\n5\n6")
        tap.putBack("1\n\n2\n", records: 2)
        #expect(tap.records == 4)
        #expect(tap.peak == 4)
        #expect(tap.isFull && !tap.isLow)
        try tap.take(1)
        #expect(tap.text == "1\n\n")
        try tap.finish()
        try tap.takeAll()
        #expect(tap.text == "1\n\n2\n3\n4\n5\n6")
        #expect(tap.passedRecords == 6)
        #expect(tap.isEmpty)
    }

    @Test func anIncompleteRecordStaysAfterWhatIsPutBack() throws {
        let tap = RecordTap()
        try tap.push("2")
        tap.putBack("1\n", records: 1)
        try tap.push("3\n", credit: 2)
        #expect(tap.text == "1\n23\n")
    }

    @Test func theLastRecordComesBackWithoutANewline() throws {
        let tap = RecordTap()
        try tap.push("1\n2")
        try tap.finish()
        try tap.takeAll()
        tap.putBack("2", records: 1)
        #expect(try tap.take(1).records == 1)
        #expect(tap.isEmpty)
    }
}
