import Flow
import Testing

@Suite struct RecordTextKeysTests {
    /// The whole text is the key.
    private struct WholeText: RecordKeyReader {
        func key(of record: UnsafeRawBufferPointer) -> RecordKey? { RecordKey(record) }
    }

    private func key(_ record: String, in framer: RecordFramer) -> RecordKey? {
        Array(record.utf8).withUnsafeBytes { RecordTextKeys(WholeText(), in: framer).key(of: $0) }
    }

    private func text(_ text: String) -> RecordKey { Array(text.utf8).withUnsafeBytes { RecordKey($0) } }

    @Test func aLineIsTheText() { #expect(key("{}\n", in: .lines) == text("{}\n")) }

    @Test(arguments: [
        ("data: {}\n\n", "{}"), ("data:{}\r\n\r\n", "{}"), ("data:  {}\r\r", " {}"), ("data\n\n", ""),
        ("id: 1\ndata: {\ndata: }\n\n", "{\n}"), ("data: a\r\nevent: x\r\ndata\rdata: b\r\n\r\n", "a\n\nb"),
        ("\u{FEFF}data: a\n\n", "a"), ("data: a", "a"), (": data: b\ndata: a\n\n", "a"),
    ]) func anEventsTextIsItsDataJoinedByLineFeeds(block: String, expected: String) {
        #expect(key(block, in: .events) == text(expected))
    }

    @Test func anEventWithoutDataHasNoKey() { #expect(key("id: 1\n\n", in: .events) == nil) }

    @Test(arguments: [("\u{1E}{}\n", "{}\n"), ("\u{1E}\u{1E} {}\n", "{}\n"), ("{}\n", "{}\n"), ("\u{1E}", "")])
    func aTextOfASequenceFollowsRS(element: String, expected: String) {
        #expect(key(element, in: .sequence) == text(expected))
    }
}
