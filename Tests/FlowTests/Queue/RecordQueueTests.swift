import Flow
import Testing

@Suite struct RecordQueueTests {
    // MARK: Invariant 1: what comes out is what went in, cut only after a whole record

    @Test func holdsRecordsUntilTheyMayLeave() throws {
        let tap = RecordTap()
        try tap.push("a\nb\nc\n")
        #expect(tap.text.isEmpty)
        #expect(tap.records == 3)
        try tap.take(2)
        #expect(tap.text == "a\nb\n")
        try tap.take(2)
        #expect(tap.text == "a\nb\nc\n")
        #expect(tap.isEmpty)
    }

    @Test func aRecordThatMayLeaveLeavesAtOnce() throws {
        let tap = RecordTap()
        #expect(try tap.push("a\n", credit: 1) == .init(records: 1, bytes: 2))
        #expect(tap.isEmpty)
    }

    @Test func aRecordWaitsUntilItIsWhole() throws {
        let tap = RecordTap()
        try tap.push("{\"a\":", credit: 5)
        #expect(tap.text.isEmpty)
        #expect(!tap.hasOutput)
        #expect(try tap.push("1}\n{\"b\"", credit: 5) == .init(records: 1, bytes: 8))
        #expect(tap.text == "{\"a\":1}\n")
        #expect(tap.bytes == 4)
    }

    @Test func newRecordsNeverOvertakeQueuedOnes() throws {
        let tap = RecordTap()
        try tap.push("a\nb\n")
        try tap.push("c\n", credit: 1)
        #expect(tap.text == "a\n")
        try tap.takeAll()
        #expect(tap.text == "a\nb\nc\n")
    }

    @Test func takesAsManyBytesAsAllowedInWholeRecords() throws {
        let tap = RecordTap()
        try tap.push("aaa\nbbb\nccc\n")
        #expect(try tap.take(limit: 11) == .init(records: 2, bytes: 8))
        #expect(try tap.take(limit: 4) == .init(records: 1, bytes: 4))
    }

    @Test func aFirstRecordLargerThanTheLimitLeavesWhole() throws {
        let tap = RecordTap()
        try tap.push("aaaaaa\nb\n")
        #expect(try tap.take(limit: 3) == .init(records: 1, bytes: 7))
        #expect(tap.text == "aaaaaa\n")
    }

    @Test func withoutCreditNoRecordLeaves() throws {
        let tap = RecordTap()
        try tap.push("a\n")
        #expect(try tap.take(0) == .init(records: 0, bytes: 0))
        #expect(tap.records == 1)
    }

    // MARK: Blank lines

    @Test func blankLinesLeaveAtOnceAndCostNoCredit() throws {
        let tap = RecordTap()
        #expect(try tap.push("\n", credit: 0) == .init(records: 0, bytes: 1))
        #expect(try tap.push("\r\n", credit: 0) == .init(records: 0, bytes: 2))
        #expect(tap.isEmpty)
    }

    @Test func blankLinesAfterWaitingRecordsArePassedOnWithThem() throws {
        let tap = RecordTap()
        try tap.push("a\n\n\nb\n\n")
        #expect(try tap.take(1) == .init(records: 1, bytes: 4))
        #expect(try tap.take(1) == .init(records: 1, bytes: 3))
    }

    @Test func aBlankLineWhoseCRArrivedAloneIsBlank() throws {
        let tap = RecordTap()
        try tap.push("\r", credit: 5)
        #expect(try tap.push("\n", credit: 5) == .init(records: 0, bytes: 2))
    }

    @Test func blankLinesAreNotCountedAgainstTheBound() throws {
        let tap = RecordTap(records: 1)
        try tap.push("a\n\n\n\r\n\n")
        #expect(tap.records == 1)
        #expect(try tap.take(1).bytes == 7)
    }

    // MARK: Invariant 2: never more records than granted

    @Test func framesNoMoreRecordsThanGranted() throws {
        let tap = RecordTap(records: 2)
        try tap.push("a\nb\nc\nd\ne\n")
        #expect(tap.records == 2)
        #expect(tap.isFull)
        #expect(try tap.take(1).records == 1)
        #expect(tap.records == 2)
        try tap.takeAll()
        #expect(tap.text == "a\nb\nc\nd\ne\n")
        #expect(tap.passedRecords == 5)
        #expect(tap.peak == 2)
    }

    /// Found by the model: bytes beyond the granted number counted as searched, and their newlines were missed.
    @Test func recordsBeyondTheBoundAreFoundWhenThereIsRoom() throws {
        let tap = RecordTap(records: 2)
        try tap.push("a\n")
        try tap.push("b\nc\nd\n")
        #expect(try tap.take(1).records == 1)
        #expect(tap.records == 2)
        #expect(try tap.take(1) == .init(records: 1, bytes: 2))
        #expect(try tap.take(1) == .init(records: 1, bytes: 2))
        #expect(try tap.take(1) == .init(records: 1, bytes: 2))
        #expect(tap.isEmpty)
    }

    @Test func isFullAtTheHighMarkAndLowAtHalfOfIt() throws {
        let tap = RecordTap(records: 4)
        try tap.push("a\nb\nc\n")
        #expect(!tap.isFull && !tap.isLow)
        try tap.push("d\n")
        #expect(tap.isFull)
        try tap.take(1)
        #expect(!tap.isFull && !tap.isLow)
        try tap.take(1)
        #expect(tap.isLow)
    }

    @Test func isFullAndLowByBytesToo() throws {
        let tap = RecordTap(bytes: 8)
        try tap.push("aaa\nbbb")
        #expect(!tap.isFull)
        try tap.push("\n")
        #expect(tap.isFull && !tap.isLow)
        try tap.take(1)
        #expect(!tap.isFull && tap.isLow)
    }

    // MARK: Invariant 3: a record larger than the byte bound passes alone

    @Test func aRecordLargerThanTheByteBoundPassesAlone() throws {
        let tap = RecordTap(bytes: 8, record: 100)
        let large = String(repeating: "x", count: 50)
        for piece in [large.prefix(10), large.prefix(20), large.prefix(20)] {
            try tap.push(String(piece))
            #expect(!tap.isFull, "an upstream paused here would never send the rest")
        }
        try tap.push("\n")
        #expect(tap.isFull)
        try tap.take(1, limit: 8)
        #expect(tap.text == large + "\n")
        #expect(tap.isLow)
    }

    @Test func afterOtherRecordsALargeOneWaitsUnread() throws {
        let tap = RecordTap(bytes: 8, record: 100)
        try tap.push("a\n" + String(repeating: "x", count: 10))
        #expect(tap.isFull)
        try tap.take(1)
        #expect(!tap.isFull && tap.isLow)
    }

    // MARK: Invariant 4: an empty queue holds nothing

    @Test func isEmptyOnceAllIsPassedOn() throws {
        let tap = RecordTap()
        #expect(tap.isEmpty && !tap.hasOutput)
        try tap.push("a\nb")
        #expect(!tap.isEmpty && tap.hasOutput && tap.bytes == 3)
        try tap.push("\n")
        try tap.takeAll()
        #expect(tap.isEmpty && !tap.hasOutput && tap.bytes == 0 && tap.records == 0)
    }

    // MARK: The end

    @Test func aLastLineWithoutNewlineIsARecord() throws {
        let tap = RecordTap()
        try tap.push("a\nlast")
        try tap.finish()
        #expect(tap.records == 2)
        #expect(try tap.take(1).bytes == 2)
        #expect(try tap.take(1, limit: 1) == .init(records: 1, bytes: 4))
        #expect(tap.text == "a\nlast")
    }

    @Test func anEndAfterANewlineAddsNothing() throws {
        let tap = RecordTap()
        try tap.push("a\n")
        try tap.finish()
        #expect(tap.records == 1)
    }

    @Test func finishingWithMoreThanTheBoundStillDeliversAll() throws {
        let tap = RecordTap(records: 2)
        try tap.push("a\nb\nc\nd\nlast")
        try tap.finish()
        #expect(tap.records == 2)
        while try tap.take(1).bytes > 0 { #expect(tap.records <= 2) }
        #expect(tap.text == "a\nb\nc\nd\nlast")
        #expect(tap.passedRecords == 5)
    }

    @Test func whatIsNotWholeIsDroppedWhereTheUpstreamBrokeOff() throws {
        let tap = RecordTap()
        try tap.push("a\nb\nhal")
        tap.dropUnframed()
        try tap.takeAll()
        #expect(tap.text == "a\nb\n")
        #expect(tap.isEmpty)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 100], ["", "hal", "much too long to be a record\n"])
    func wholeRecordsBeyondTheBoundAreNotDroppedWithIt(bound: Int, rest: String) throws {
        let tap = RecordTap(records: bound, record: 8)
        let whole = "a\nb\n\nc\nd\n"
        _ = try? tap.push(whole + rest)
        tap.dropUnframed()
        while try tap.take(1).bytes > 0 { #expect(tap.records <= bound) }
        #expect(tap.text == whole && tap.passedRecords == 4)
        #expect(tap.isEmpty && !tap.hasOutput)
    }

    @Test func anUnfinishedRecordAloneIsDroppedToo() throws {
        let tap = RecordTap()
        tap.dropUnframed()
        #expect(tap.isEmpty)
        let begun = RecordTap()
        try begun.push("hal")
        begun.dropUnframed()
        #expect(begun.isEmpty)
        try begun.finish()
        #expect(!begun.hasOutput)
    }

    // MARK: Invariant 5: records before one that is too large are passed on

    @Test func aRecordOfExactlyTheMaximumPasses() throws {
        let tap = RecordTap(record: 4)
        try tap.push("abc\n", credit: 1)
        try tap.push("abcd", credit: 1)
        try tap.finish()
        try tap.takeAll()
        #expect(tap.text == "abc\nabcd")
    }

    @Test func oneByteMoreIsTooLarge() {
        let tap = RecordTap(record: 4)
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(4))) { try tap.push("abcd\n", credit: 1) }
        let unfinished = RecordTap(record: 4)
        #expect(throws: RecordFramer.Failure.self) { try unfinished.push("abcde") }
        let queued = RecordTap(record: 4)
        #expect(throws: Never.self) { try queued.push("abc") }
        #expect(throws: RecordFramer.Failure.self) { try queued.push("de") }
    }

    @Test func recordsBeforeOneThatIsTooLargeArePassedOn() throws {
        for credit in [0, 1, 2, 5] {
            let tap = RecordTap(record: 4)
            do {
                try tap.push("a\nb\nabcdef\nc\n", credit: credit)
                while true { if try tap.take(1).bytes == 0 { break } }
                Issue.record("with a credit of \(credit), nothing was thrown")
            } catch {
                #expect(error == .recordTooLarge(limit: ByteCount(4)))
            }
            tap.dropUnframed()
            try tap.takeAll()
            #expect(tap.text == "a\nb\n")
            #expect(tap.passedRecords == 2)
            #expect(tap.isEmpty)
        }
    }

    @Test func aTooLargeRecordBeyondTheBoundFailsOnceItIsNext() throws {
        let tap = RecordTap(records: 2, record: 4)
        try tap.push("a\nb\nabcdef")
        try tap.finish()
        #expect(try tap.take(2).records == 2)
        #expect(tap.hasOutput, "the next take must throw it")
        #expect(throws: RecordFramer.Failure.self) { try tap.take(1) }
        tap.dropUnframed()
        #expect(!tap.hasOutput && tap.isEmpty)
    }

    // MARK: Bytes that were handed over and not taken

    @Test func whatIsPendingCountsTowardsTheByteBound() throws {
        let tap = RecordTap(bytes: 100)
        tap.pendingBytes = 60
        try tap.push(String(repeating: "x", count: 38) + "\n")
        #expect(!tap.isFull && !tap.isLow)
        try tap.push("\n")
        #expect(tap.isFull)
        tap.pendingBytes = 11
        #expect(!tap.isFull && !tap.isLow)
        tap.pendingBytes = 10
        #expect(tap.isLow)
    }

    @Test func aLargeRecordThatIsPendingHoldsUpTheNext() throws {
        let tap = RecordTap(bytes: 100)
        tap.pendingBytes = 5000
        #expect(tap.isFull)
        try tap.push("unfinished")
        tap.pendingBytes = 0
        #expect(tap.isLow)
    }

    // MARK: Opaque bytes

    @Test func opaqueBytesMayBeSplitAnywhere() throws {
        let tap = RecordTap(.opaque, records: .max, bytes: 8)
        #expect(try tap.push("ab\ncd", credit: .max, limit: 3) == .init(records: 0, bytes: 3))
        #expect(try tap.take(limit: 1) == .init(records: 0, bytes: 1))
        try tap.push("efghijklm", credit: .max, limit: 0)
        #expect(tap.isFull)
        #expect(try tap.take(limit: 6).bytes == 6)
        #expect(tap.isLow)
        try tap.finish()
        try tap.takeAll()
        #expect(tap.text == "ab\ncdefghijklm")
        #expect(tap.passedRecords == 0)
    }

    @Test func opaqueBytesHaveNoLargestRecord() throws {
        let tap = RecordTap(.opaque, records: .max, record: 4)
        try tap.push("no line is too long here", credit: .max)
        #expect(tap.text == "no line is too long here")
    }
}
