import Flow
import TestSupport
import Testing

/// A dropping queue of events and of texts of a sequence behaves as one of lines.
@Suite struct DroppingQueueFramingTests {
    private static let framers = [RecordFramer.events, .sequence]

    private static func record(_ text: String, _ framer: RecordFramer) -> String {
        framer == .events ? "id: 1\r\ndata: \(text)\r\n\r\n" : "\u{1E}\(text)\n"
    }

    @Test(arguments: framers) func dropsWholeRecords(framer: RecordFramer) throws {
        let tap = DroppingTap(.dropOldest, records: 2, framer: framer)
        try tap.push(["a", "b", "c"].map { Self.record($0, framer) }.joined())
        #expect((tap.lost, tap.records) == (1, 2))
        #expect(try tap.rest() == Self.record("b", framer) + Self.record("c", framer))
    }

    @Test(arguments: framers) func theNewestOfEachKeyStays(framer: RecordFramer) throws {
        let tap = DroppingTap(.latest, records: 2, hasKeys: true, framer: framer)
        try tap.push(["a1", "b1", "a2", "b2"].map { Self.record($0, framer) }.joined())
        #expect(try tap.rest() == Self.record("a2", framer) + Self.record("b2", framer))
    }

    /// No client lags, so nothing may be dropped, although the chunk continues a record that was begun before.
    @Test(arguments: framers) func aClientThatTakesAllLosesNothing(framer: RecordFramer) throws {
        let text = (0..<40).map { Self.record("a\($0)", framer) }.joined()
        for cut in 0...60 {
            let tap = DroppingTap(.dropOldest, records: 1, framer: framer)
            try tap.push(text.utf8.prefix(cut), credit: .max)
            try tap.push(text.utf8.dropFirst(cut), credit: .max)
            #expect((tap.lost, tap.text) == (0, text), "cut at \(cut)")
        }
    }

    @Test(arguments: [Overflow.dropOldest, .dropNewest, .latest])
    func anUnfinishedEventAtTheEndPasses(overflow: Overflow) throws {
        let text = "data: a\n\ndata: [DONE]\n"
        for cut in 0...text.utf8.count {
            let tap = DroppingTap(overflow, framer: .events)
            try tap.push(text.utf8.prefix(cut))
            try tap.push(text.utf8.dropFirst(cut))
            try tap.finish()
            #expect(try tap.rest() == text)
            #expect((tap.lost, tap.droppedBytes, tap.isEmpty) == (0, 0, true))
        }
    }

    @Test func anUnfinishedEventWaitsUntilALossBeforeItIsReported() throws {
        let tap = DroppingTap(.dropNewest, records: 1, reportsLosses: true, framer: .events)
        try tap.push("data: a\n\ndata: b\n\ndata: [DONE]\n")
        try tap.finish()
        #expect(try tap.take() == .init(records: 1, bytes: 9))
        #expect(tap.lossAhead == 1)
        #expect(try tap.take() == .init(records: 0, bytes: 0))
        tap.lossReported()
        #expect(try tap.take() == .init(records: 0, bytes: 13))
    }

    @Test func aLongCommentLeavesAloneWhereNothingElseFits() throws {
        let comment = ": \(String(repeating: "x", count: 50))\n"
        let tap = DroppingTap(.dropOldest, framer: .events)
        try tap.push(":\n\n" + comment, limit: 0)
        #expect(try tap.take(0, limit: 10) == .init(records: 0, bytes: 3))
        #expect(try tap.take(0, limit: 10) == .init(records: 0, bytes: comment.utf8.count))
        #expect(tap.isEmpty)
    }

    @Test func whatABrokenTextSwallowsWhenItComesBackCountsAsLost() throws {
        let tap = DroppingTap(.dropOldest, framer: .sequence)
        try tap.push("\u{1E}{\"a\n\u{1E}1\n{}\n", credit: .max)
        // The text between them was dropped, and the last one has no RS of its own.
        tap.putBack(Array("\u{1E}{\"a\n{}\n".utf8), records: 2)
        #expect((tap.records, tap.lossAhead) == (1, 1))
        #expect(try tap.rest() == "\u{1E}{\"a\n{}\n")
    }

    @Test(arguments: 0..<100, framers) func losesTheSameInAnySplit(seed: Int, framer: RecordFramer) throws {
        var random = SeededGenerator(seed: seed)
        let tokens =
            framer == .events ? ["data: a", "data", ":", "\n", "\r\n", "\r", "\n\n"] : ["\u{1E}", "{", "}", "1", "\n"]
        let input = Array((0..<40).map { _ in tokens.randomElement(using: &random) ?? "" }.joined().utf8)
        let overflow = [Overflow.dropOldest, .dropNewest, .latest].randomElement(using: &random) ?? .latest
        let records = Int.random(in: 1...4, using: &random), bytes = Int.random(in: 8...80, using: &random)
        let make = { DroppingTap(overflow, records: records, bytes: bytes, reportsLosses: true, framer: framer) }
        let whole = make()
        try whole.push(input, limit: 0)
        try whole.finish()
        let expected = (whole.lost, whole.lossAhead, whole.droppedBytes, try whole.rest())
        for cut in 0...input.count {
            let tap = make()
            try tap.push(input[..<cut], limit: 0)
            try tap.push(input[cut...], limit: 0)
            try tap.finish()
            #expect((tap.lost, tap.lossAhead, tap.droppedBytes, try tap.rest()) == expected, "cut at \(cut)")
        }
    }

    @Test(arguments: framers) func passedRecordsArePutBackRecordForRecord(framer: RecordFramer) {
        var replay = ReplayBuffer(framer: framer)
        let records = (0..<5).map { Self.record("a\($0)", framer) }
        for record in records {
            Array(record.utf8).withUnsafeBytes { replay.append($0, records: 1) }
        }
        replay.trim(records: 4, bytes: 1000)
        var back = ""
        let rewind = replay.rewind(after: 3) { bytes, _ in back = String(decoding: bytes, as: UTF8.self) }
        #expect(rewind == .unread(records: 2))
        #expect(back == records[3...].joined())
        let tooFar = replay.rewind(after: 0) { _, _ in }
        #expect(tooFar == .gone(from: 2))
    }
}
