import Flow
import Testing

/// How losses are reported, and how records are put back.
@Suite struct DroppingQueueLossTests {
    @Test func noRecordPassesAnUnreportedLoss() throws {
        let tap = DroppingTap(.dropOldest, records: 1, reportsLosses: true)
        try tap.push("1\n2\n")
        #expect(tap.lossAhead == 1)
        #expect(try tap.take().bytes == 0)
        tap.lossReported()
        #expect(tap.lossAhead == 0)
        #expect(try tap.take().records == 1)
        #expect(tap.lost == 1, "it stays lost, reported or not")
    }

    @Test func aRunEndsBeforeALoss() throws {
        let tap = DroppingTap(.dropNewest, records: 2, reportsLosses: true)
        try tap.push("1\n2\n3\n")
        try tap.take(1)
        try tap.push("4\n")
        #expect(try tap.take().records == 1)
        #expect(tap.text == "1\n2\n")
        #expect(tap.lossAhead == 1)
        tap.lossReported()
        try tap.take()
        #expect(tap.text == "1\n2\n4\n")
    }

    @Test func aRunSpansALossThatNeedsNoReport() throws {
        let tap = DroppingTap(.latest, records: 4, hasKeys: true)
        try tap.push("1\na1\n2\na2\n3\n")
        #expect(tap.lost == 1)
        #expect(try tap.take().records == 4)
        #expect(tap.pieces == ["1\n", "2\na2\n3\n"], "in two pieces")
        #expect(tap.lossAhead == 0)
    }

    @Test func theShortcutPassesNoLoss() throws {
        let tap = DroppingTap(.dropNewest, records: 1, reportsLosses: true)
        try tap.push("1\n2\n")
        try tap.take()
        #expect(tap.lossAhead == 1, "after the last record")
        #expect(try tap.push("3\n", credit: 9).bytes == 0)
        tap.lossReported()
        try tap.take()
        #expect(tap.text == "1\n3\n")
    }

    @Test func fewerGrantedRecordsDropAtOnce() throws {
        for (overflow, left, lost) in [
            (Overflow.dropOldest, "3\n4\n", 2), (.dropNewest, "1\n2\n", 2), (.latest, "4\n", 3),
        ] {
            let tap = DroppingTap(overflow, records: 4)
            try tap.push("1\n2\n3\n4\n\n5")
            tap.setRecordBound(2)
            #expect(tap.lost == lost)
            tap.dropUnframed()
            #expect(try tap.rest() == left + "\n")
        }
    }

    @Test func fewerGrantedRecordsDropTheOldestKeys() throws {
        let tap = DroppingTap(.latest, records: 4, hasKeys: true)
        try tap.push("1\na1\nb1\na2\n")
        tap.setRecordBound(2)
        #expect(tap.lost == 2)
        #expect(try tap.rest() == "b1\na2\n")
    }

    @Test func theBoundIsNeverBelowOneRecord() throws {
        let tap = DroppingTap(.dropOldest)
        tap.setRecordBound(0)
        try tap.push("1\n2\n")
        #expect(try tap.rest() == "2\n")
    }

    @Test func whatIsPutBackLeavesFirst() throws {
        let tap = DroppingTap(.dropOldest, reportsLosses: true)
        try tap.push("1\n2\n3\n4", credit: 2)
        tap.putBack("1\n2\n", records: 2)
        #expect(tap.records == 3)
        #expect(tap.lossAhead == 0)
        try tap.finish()
        #expect(try tap.rest() == "1\n2\n3\n4")
    }

    @Test func aLossAfterRecordsThatWerePutBackIsStillReported() throws {
        let tap = DroppingTap(.dropOldest, records: 3, reportsLosses: true)
        try tap.push("1\n", credit: 1)
        try tap.push("2\n3\n4\n5\n")
        #expect(tap.lossAhead == 1)
        tap.setRecordBound(9)
        tap.putBack("1\n", records: 1)
        #expect(tap.lossAhead == 0)
        #expect(try tap.take().records == 1)
        #expect(tap.lossAhead == 1)
        #expect(try tap.rest() == "3\n4\n5\n")
    }

    @Test func recordsPutBackBeyondTheBoundAreDroppedByThePolicy() throws {
        for (overflow, left) in [(Overflow.dropOldest, "2\n3\n"), (.dropNewest, "1\n2\n"), (.latest, "3\n")] {
            let tap = DroppingTap(overflow, records: 2)
            try tap.push("1\n", credit: 1)
            try tap.push("2\n3\n")
            tap.putBack("1\n", records: 1)
            #expect(try tap.rest() == left)
        }
    }

    @Test func whatIsPutBackIsSupersededByWhatIsQueued() throws {
        let tap = DroppingTap(.latest, records: 3, hasKeys: true)
        try tap.push("a1\nb1\n", credit: 2)
        try tap.push("1\na2\n")
        tap.putBack("a1\nb1\n", records: 2)
        #expect(try tap.rest() == "b1\n1\na2\n")
        #expect(tap.lost == 1)
    }

    @Test func blankLinesAreRestoredAtTheirPositions() throws {
        let tap = DroppingTap(.dropOldest, records: 9)
        try tap.push("5\n")
        tap.putBack("\n1\n\n", records: 1)
        #expect(try tap.rest() == "\n1\n\n5\n")
        tap.putBack("\n5\n\n", records: 1)
        #expect(try tap.rest() == "\n5\n\n")
    }

    /// A few keys that never change between many that do: what goes from the middle does not pile up.
    @Test func memoryStaysBoundedWhereRecordsGoFromTheMiddle() throws {
        let tap = DroppingTap(.latest, records: 1000, bytes: 4000, hasKeys: true)
        try tap.push("z0\ny0\n")
        let text = String(repeating: "x", count: 60)
        for number in 0..<5000 {
            try tap.push("a\(number)\(text)\nb\(number)\(text)\n")
            #expect(tap.storedBytes <= 5200)
        }
        #expect(tap.lost > 9900)
        #expect(try tap.rest().hasPrefix("z0\ny0\n"))
        #expect(tap.storedBytes == 0)
    }
}
