import Flow
import Testing

@Suite struct RecordFramerTests {
    private func run(
        _ text: String, searched: Int = 0, held: Int = 0, upTo limit: Int = .max, maximum: Int = 1000
    ) throws -> RecordFramer.Run {
        var progress = RecordFramer.Progress()
        progress.searched = searched
        return try Array(text.utf8).withUnsafeBytes {
            try RecordFramer.lines.run(
                in: $0, from: &progress, held: held, upTo: limit, maximum: ByteCount(maximum))
        }
    }

    @Test(arguments: [
        ("", 0, 0), ("a", 0, 0), ("a\n", 1, 2), ("a\r\n", 1, 3), ("a\nb", 1, 2), ("a\nb\n", 2, 4), ("a\r\nb\nc", 2, 5),
        ("\n", 0, 1), ("\r\n", 0, 2), ("\r", 0, 0), ("\n\n\r\n", 0, 4), ("\na\n", 1, 3), ("a\n\n\nb\n", 2, 6),
        (" \n", 1, 2), ("\r\r\n", 1, 3), ("a\n\r", 1, 2), ("{\"a\":\"\\n\"}\n", 1, 11),
    ]) func findsTheWholeRecordsAtTheFront(text: String, records: Int, bytes: Int) throws {
        #expect(try run(text) == .init(records: records, bytes: bytes))
    }

    @Test func takesNoMoreRecordsThanItMay() throws {
        #expect(try run("a\nb\nc\n", upTo: 2) == .init(records: 2, bytes: 4))
        #expect(try run("a\nb\nc\n", upTo: 0) == .init(records: 0, bytes: 0))
    }

    @Test func blankLinesBeforeOneMoreRecordAreStillTaken() throws {
        #expect(try run("a\n\n\r\nb\n", upTo: 1) == .init(records: 1, bytes: 5))
        #expect(try run("\n\na\n", upTo: 0) == .init(records: 0, bytes: 2))
    }

    @Test func doesNotLookAtWhatHasBeenSearched() throws {
        // A newline among the searched bytes would be missed: the caller promises that there is none.
        #expect(try run("abc\nd\n", searched: 3) == .init(records: 2, bytes: 6))
        #expect(try run("a\nc\nd\n", searched: 2) == .init(records: 2, bytes: 6))
    }

    @Test func bytesOutsideOfTheFramerBelongToTheFirstRecordOnly() throws {
        #expect(try run("\n", held: 2) == .init(records: 1, bytes: 1))
        #expect(try run("\r\n\r\n", held: 2) == .init(records: 1, bytes: 4))
        #expect(try run("cd\n", held: 2, maximum: 5) == .init(records: 1, bytes: 3))
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(4))) {
            try run("cd\n", held: 2, maximum: 4)
        }
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(3))) {
            try run("cd", held: 2, maximum: 3)
        }
    }

    @Test func aRecordMayBeExactlyAsLongAsTheMaximum() throws {
        #expect(try run("abc\n", maximum: 4) == .init(records: 1, bytes: 4))
        #expect(try run("abcd", maximum: 4) == .init(records: 0, bytes: 0))
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(4))) { try run("abcd\n", maximum: 4) }
    }

    @Test func anUnfinishedRecordIsTooLargeAsSoonAsItCannotFit() {
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(4))) { try run("abcde", maximum: 4) }
    }

    @Test func recordsBeforeOneThatIsTooLargeAreFoundFirst() throws {
        #expect(try run("a\nb\nabcd\nc\n", maximum: 3) == .init(records: 2, bytes: 4))
        #expect(try run("a\nabcd", maximum: 3) == .init(records: 1, bytes: 2))
        #expect(try run("\nabcd", maximum: 3) == .init(records: 0, bytes: 1))
        #expect(throws: RecordFramer.Failure.recordTooLarge(limit: ByteCount(3))) { try run("abcd\na\n", maximum: 3) }
    }

    @Test func opaqueBytesAreNoRecordsAndMayAllLeave() throws {
        let bytes = Array("a\nb".utf8)
        let run = try bytes.withUnsafeBytes { try RecordFramer.opaque.run(in: $0, upTo: 0, maximum: ByteCount(1)) }
        #expect(run == .init(records: 0, bytes: 3))
    }

    @Test(arguments: RecordFramer.allCases) func nothingComesOutOfNothing(framer: RecordFramer) throws {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(try framer.run(in: nothing, maximum: ByteCount(1)) == .init(records: 0, bytes: 0))
    }
}
