import Flow
import TestSupport
import Testing

@Suite struct RecordWatchTests {
    /// Pushes chunks, and returns what was counted at their end.
    private static func watch(
        _ chunks: [[UInt8]], _ framer: RecordFramer, end: EndRecord? = nil
    ) -> (records: Int, isComplete: Bool) {
        var watch = RecordWatch(framer: framer, maximum: .kibibytes(1), end: end)
        for chunk in chunks { chunk.withUnsafeBytes { watch.push($0) } }
        watch.finish()
        return (watch.records, watch.isComplete)
    }

    @Test(arguments: [
        (RecordFramer.lines, "{\"a\":1}\n\n{\"b\":2}\r\n[DONE]\n", 3),
        (.lines, "1\n[DONE]", 2),
        (.events, "\u{FEFF}: hi\nid: 7\ndata: x\n\n\r\n: ping\n\ndata: [DONE]\r\n\r\n", 2),
        (.events, "data: x\n\ndata:[DONE]\n\n: bye\n", 2),
        (.sequence, "\u{1E}{\"a\":1}\n \u{1E}[DONE]\n", 2),
    ])
    func everyCutCountsTheSameRecords(_ framer: RecordFramer, _ text: String, _ records: Int) {
        let end = EndRecord(text: "[DONE]", in: framer)
        for cut in 0..<text.utf8.count {
            let parts = [Array(text.utf8.prefix(cut)), Array(text.utf8.dropFirst(cut))]
            let seen = Self.watch(parts, framer, end: end)
            #expect(seen.records == records && seen.isComplete, "cut at \(cut)")
        }
        let bytes = Self.watch(text.utf8.map { [$0] }, framer, end: end)
        #expect(bytes.records == records && bytes.isComplete)
    }

    @Test(arguments: [
        (RecordFramer.events, ": keepalive\n\nretry: 5\n\nid: 1\n\n"), (.lines, "\n\r\n\n"), (.sequence, " \n \n"),
    ])
    func whatIsBlankIsNoRecord(_ framer: RecordFramer, _ text: String) {
        #expect(Self.watch([Array(text.utf8)], framer).records == 0)
    }

    @Test func aTextWithinAnotherDoesNotEndAStream() {
        let end = EndRecord(text: "[DONE]", in: .events)
        #expect(!Self.watch([Array("data: not [DONE]\n\n: [DONE]\n\n".utf8)], .events, end: end).isComplete)
    }

    @Test func withoutAnEndRecordEveryEndIsComplete() { #expect(Self.watch([], .lines).isComplete) }

    @Test func afterARecordThatIsTooLongNothingIsCounted() {
        var watch = RecordWatch(framer: .lines, maximum: ByteCount(4), end: EndRecord(text: "a", in: .lines))
        Array("1\nabcdef\na\n".utf8).withUnsafeBytes { watch.push($0) }
        Array("a\n".utf8).withUnsafeBytes { watch.push($0) }
        watch.finish()
        let (records, held, isComplete) = (watch.records, watch.heldBytes, watch.isComplete)
        #expect(records == 1 && held == 0 && !isComplete)
    }

    @Test func onlyTheUnfinishedRecordIsHeld() {
        var watch = RecordWatch(framer: .lines, maximum: .kibibytes(1), end: nil)
        Array("1\n23".utf8).withUnsafeBytes { watch.push($0) }
        let held = watch.heldBytes
        Array("4\n".utf8).withUnsafeBytes { watch.push($0) }
        let (after, records) = (watch.heldBytes, watch.records)
        #expect(held == 2 && after == 0 && records == 2)
    }
}
