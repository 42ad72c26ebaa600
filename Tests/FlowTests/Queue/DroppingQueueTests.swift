import Flow
import Testing

@Suite struct DroppingQueueTests {
    @Test func theOldestIsDroppedForTheNewest() throws {
        let tap = DroppingTap(.dropOldest, records: 2)
        try tap.push("1\n2\n3\n4\n")
        #expect(tap.records == 2)
        #expect(tap.lost == 2)
        #expect(tap.lossAhead == 2)
        #expect(tap.droppedBytes == 4)
        #expect(try tap.rest() == "3\n4\n")
        #expect(tap.arrived == 4)
        #expect(tap.storedBytes == 0)
    }

    @Test func asManyOfTheOldestGoAsTheBytesNeed() throws {
        let tap = DroppingTap(.dropOldest, bytes: 8)
        try tap.push("1\n2\n3\n4\n12345\n")
        #expect(tap.lost == 3)
        #expect(try tap.rest() == "4\n12345\n")
    }

    @Test func theNewRecordIsDroppedForTheQueuedOnes() throws {
        let tap = DroppingTap(.dropNewest, records: 2)
        try tap.push("1\n2\n3\n4\n")
        #expect(tap.lost == 2)
        #expect(tap.lossAhead == 0, "the loss is after the queued records")
        try tap.take(1)
        try tap.push("5\n6\n")
        #expect(try tap.rest() == "2\n5\n")
        #expect(tap.lost == 3)
    }

    @Test func aSmallRecordMayFitWhereALargerDidNot() throws {
        let tap = DroppingTap(.dropNewest, bytes: 6)
        try tap.push("12\n123456\n3\n")
        #expect(tap.lost == 1)
        #expect(try tap.rest() == "12\n3\n")
    }

    @Test func ofLatestOnlyTheNewestStays() throws {
        let tap = DroppingTap(.latest, records: 1)
        for number in 1...9 { try tap.push("\(number)\n") }
        #expect(tap.lost == 8)
        #expect(try tap.rest() == "9\n")
    }

    @Test func latestReplacesTheQueuedRecordAtOnce() throws {
        let tap = DroppingTap(.latest, records: 3)
        try tap.push("1\n")
        try tap.push("2\n")
        #expect((tap.lost, tap.records) == (1, 1))
        #expect(try tap.rest() == "2\n")
    }

    @Test func latestConflatesAChunkBeforeAnyOfItLeaves() throws {
        let tap = DroppingTap(.latest, records: 3)
        try tap.push("1\n")
        try tap.push("2\n3\n\n4\n5", credit: .max)
        #expect((tap.text, tap.lost, tap.arrived) == ("\n4\n", 3, 4))
        try tap.push("5\n", credit: 1)
        #expect(tap.text == "\n4\n55\n")
    }

    @Test func latestByKeyConflatesAChunkBeforeAnyOfItLeaves() throws {
        let tap = DroppingTap(.latest, records: 3, hasKeys: true)
        try tap.push("a1\nb1\n")
        try tap.push("a2\na3\nc1\n", credit: 2)
        #expect((tap.text, tap.lost) == ("b1\na3\n", 2))
        #expect(try tap.rest() == "c1\n")
    }

    @Test func ofLatestByKeyTheSupersededGo() throws {
        let tap = DroppingTap(.latest, records: 4, hasKeys: true)
        try tap.push("a1\nb1\na2\nc1\n")
        #expect((tap.lost, tap.records) == (1, 3))
        try tap.push("b2\n")
        #expect(tap.lost == 2)
        #expect(try tap.rest() == "a2\nc1\nb2\n")
    }

    @Test func theBufferBoundsTheNumberOfKeys() throws {
        let tap = DroppingTap(.latest, records: 2, hasKeys: true)
        for number in 1...9 { try tap.push("a\(number)\nb\(number)\n") }
        #expect((tap.lost, tap.records, tap.peak) == (16, 2, 2))
        try tap.push("c1\n")
        #expect(try tap.rest() == "b9\nc1\n")
    }

    @Test func withoutASupersededRecordTheOldestIsDropped() throws {
        let tap = DroppingTap(.latest, records: 2, hasKeys: true)
        try tap.push("a1\nb1\nc1\n")
        #expect(tap.lost == 1)
        #expect(try tap.rest() == "b1\nc1\n")
    }

    @Test func recordsWithoutAKeyOnlyGoAsTheOldest() throws {
        let tap = DroppingTap(.latest, records: 3, hasKeys: true)
        try tap.push("1\n1\n1\n1\n")
        #expect(tap.lost == 1)
        try tap.push("a1\na2\na3\n")
        #expect(try tap.rest() == "1\n1\na3\n")
    }

    @Test func aRecordThatWasPassedOnIsNoLongerSuperseded() throws {
        let tap = DroppingTap(.latest, records: 2, hasKeys: true)
        try tap.push("a1\nb1\n")
        try tap.take(1)
        try tap.push("a2\n")
        #expect(tap.lost == 0)
        try tap.push("a3\n")
        #expect(try tap.rest() == "b1\na3\n")
        #expect(tap.lost == 1)
    }

    @Test(arguments: [Overflow.dropOldest, .dropNewest, .latest]) func aRecordLargerThanTheBoundIsQueuedAlone(
        _ overflow: Overflow
    ) throws {
        let tap = DroppingTap(overflow, bytes: 4)
        try tap.push("123456789\n")
        #expect(tap.records == 1)
        #expect(tap.lost == 0)
        try tap.push("1\n")
        #expect(tap.records == 1)
        #expect(try tap.rest() == (overflow == .dropNewest ? "123456789\n" : "1\n"))
    }

    @Test func whatIsPendingCountsTowardsTheByteBound() throws {
        let tap = DroppingTap(.dropOldest, bytes: 10)
        tap.pendingBytes = 6
        try tap.push("1\n2\n3\n")
        #expect((tap.lost, tap.records) == (1, 2))
        tap.pendingBytes = 100
        try tap.push("4\n")
        #expect((tap.lost, tap.records) == (3, 1), "one always fits")
    }

    @Test func anUnfinishedRecordIsDecidedWhenItIsWhole() throws {
        let tap = DroppingTap(.dropOldest, records: 1)
        try tap.push("1\n2")
        #expect(tap.lost == 0)
        #expect(tap.bytes == 3)
        try tap.push("2\n")
        #expect(tap.lost == 1)
        #expect(try tap.rest() == "22\n")
    }

    @Test func whatMayLeaveAtOnceIsNeverDropped() throws {
        let tap = DroppingTap(.dropNewest, records: 1)
        try tap.push("1\n2\n3\n", credit: 3)
        #expect(tap.text == "1\n2\n3\n")
        #expect(tap.pieces.count == 1, "past the queue in one piece")
        try tap.push("4\n5")
        try tap.push("5\n6\n", credit: 2)
        #expect(tap.text == "1\n2\n3\n4\n55\n")
        #expect(try tap.rest() == "6\n")
        #expect(tap.lost == 0)
    }

    @Test func theShortcutKeepsToTheLimit() throws {
        let tap = DroppingTap(.dropNewest, records: 1)
        try tap.push("1\n2\n3\n", credit: 9, limit: 5)
        #expect(tap.text == "1\n2\n")
        #expect(try tap.rest() == "3\n")
    }

    @Test func aRecordLargerThanTheLimitLeavesWhereItIsTheFirst() throws {
        let tap = DroppingTap(.dropNewest)
        try tap.push("123456\n1\n")
        #expect(try tap.take(9, limit: 3).records == 1)
        #expect(tap.text == "123456\n")
    }

    @Test func aBlankLineIsDroppedWithTheRecordAfterIt() throws {
        let tap = DroppingTap(.dropOldest, records: 1)
        try tap.push("\n1\n\r\n2\n\n")
        #expect(tap.lost == 1)
        #expect(try tap.rest() == "\r\n2\n\n")
    }

    @Test func aBlankLineLeavesAtOnceWhereNothingWaits() throws {
        let tap = DroppingTap(.dropOldest)
        #expect(try tap.push("\n\r\n") == .init(records: 0, bytes: 3))
        #expect(tap.isEmpty)
    }

    @Test func blankLinesThatDoNotFitGo() throws {
        let tap = DroppingTap(.dropOldest, bytes: 4)
        try tap.push("1\n")
        for _ in 0..<100 { try tap.push("\n") }
        #expect(tap.bytes <= 4)
        #expect(tap.lost == 0)
        #expect(try tap.rest().hasPrefix("1\n"))
    }

    @Test func aRecordThatIsTooLongFailsAfterThoseBeforeIt() throws {
        let tap = DroppingTap(.dropOldest, record: 4)
        try tap.push("1\n2\n12345\n3\n", credit: 1)
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(4))) { try tap.push("4\n") }
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(4))) { try tap.finish() }
        #expect(tap.bytes < 12, "nothing after the failure is queued")
        tap.dropUnframed()
        #expect(try tap.rest() == "2\n")
        #expect(tap.lost == 0)
    }

    @Test func endsWithARecordWithoutANewline() throws {
        let tap = DroppingTap(.dropOldest, records: 1)
        try tap.push("1\n2")
        try tap.finish()
        #expect(tap.lost == 1)
        #expect(try tap.rest() == "2")
        #expect(tap.isEmpty)
    }

    @Test func anIncompleteRecordOfAFailedStreamIsDropped() throws {
        let tap = DroppingTap(.dropOldest)
        try tap.push("1\n2")
        tap.dropUnframed()
        #expect(try tap.rest() == "1\n")
        #expect(tap.lost == 0)
        #expect(tap.storedBytes == 0)
    }
}
