import Flow
import TestSupport
import Testing

/// Server-sent events: what is a record, and where it ends.
@Suite struct EventFramingTests {
    private func run(_ text: String, upTo limit: Int = .max, maximum: Int = 1000) throws -> RecordFramer.Run {
        try Array(text.utf8).withUnsafeBytes {
            try RecordFramer.events.run(in: $0, upTo: limit, maximum: ByteCount(maximum))
        }
    }

    @Test(arguments: [
        ("", 0, 0), ("data: a", 0, 0), ("data: a\n", 0, 0), ("data: a\n\n", 1, 9), ("data\n\n", 1, 6),
        ("data: a\r\n\r\n", 1, 11), ("data: a\r\r", 1, 9), ("data: a\r\n\n", 1, 10), ("data: a\n\r\n", 1, 10),
        ("data: a\n\ndata: b", 1, 9), ("data: a\n\ndata: b\n\n", 2, 18), ("id: 1\nevent: x\ndata: a\n\n", 1, 24),
        ("data: a\ndata: b\n\n", 1, 17), ("data:\n\n", 1, 7), ("id: 1\rdata\r\r", 1, 12),
    ]) func aBlockWithDataIsARecord(text: String, records: Int, bytes: Int) throws {
        #expect(try run(text) == .init(records: records, bytes: bytes))
    }

    @Test(arguments: [
        ":\n\n", ": heart\n\n", "retry: 5\n\n", "id: 7\n\n", "event: x\n\n", "\n", "\r\n", "\n\n\n", "database: x\n\n",
        "Data: x\n\n",
        "dat\n\n", " data: x\n\n", ":data: x\r\n\r\n", "x\r\r",
    ]) func aBlockWithoutDataIsNone(text: String) throws {
        #expect(try run(text, upTo: 0) == .init(records: 0, bytes: text.utf8.count))
    }

    @Test(arguments: [
        (":\n", 2), (": keepalive\n", 12), (": a\r\n", 5), ("retry: 5\n", 9), ("retry\n", 6),
        (": a\n: b\r\nretry:1\n", 17),
        ("\u{FEFF}: a\n", 7), (": a\n: unfinished", 4), (": a\rx", 4), ("retry: 1\n\n", 10),
    ]) func aCommentOrRetryBeforeABlockEndsWithItsLine(text: String, bytes: Int) throws {
        #expect(try run(text, upTo: 0) == .init(records: 0, bytes: bytes))
    }

    @Test(arguments: [
        "id: 1\n: a\n", "data: a\n: b\n", "data: a\nretry: 1\n", "retryx: 1\n", "ret\n", "event: x\n", ": a\r",
        "retry: 5",
    ]) func withinABlockItWaitsForTheEmptyLine(text: String) throws {
        #expect(try run(text) == .init(records: 0, bytes: 0))
    }

    @Test func aCommentWithinABlockStaysInIt() throws {
        #expect(try run("id: 1\n: a\ndata: b\n: c\n\n") == .init(records: 1, bytes: 23))
        #expect(try run(": a\ndata: b\n\n", upTo: 0) == .init(records: 0, bytes: 4))
    }

    @Test func commentsDoNotAddUpToARecordThatIsTooLong() throws {
        let comments = String(repeating: ": keepalive\n", count: 100)
        #expect(try run(comments, maximum: 20) == .init(records: 0, bytes: 1200))
        let tap = RecordTap(.events, records: 1)
        for byte in comments.utf8 { try tap.push([byte], credit: 0) }
        #expect((tap.output, tap.passedRecords) == (Array(comments.utf8), 0))
    }

    @Test func aCROfTheEmptyLineWaitsForItsLF() throws {
        #expect(try run("data: a\r\n\r") == .init(records: 0, bytes: 0))
        #expect(try run("data: a\r\n\rd") == .init(records: 1, bytes: 10))
        #expect(try run("data: a\n\r") == .init(records: 0, bytes: 0))
    }

    @Test func afterAnotherCRItDoesNot() throws {
        #expect(try run("data: a\r\r") == .init(records: 1, bytes: 9))
        // The LF is an empty line of its own for the reader.
        #expect(try run("data: a\r\r\ndata: b\r\r") == .init(records: 2, bytes: 19))
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstField() throws {
        #expect(try run("\u{FEFF}data: a\n\n") == .init(records: 1, bytes: 12))
        #expect(try run("\u{FEFF}: hello\n\n") == .init(records: 0, bytes: 12))
    }

    @Test func takesNoMoreRecordsThanItMay() throws {
        #expect(try run("data\n\n:\n\nretry: 1\n\ndata\n\n", upTo: 1) == .init(records: 1, bytes: 19))
        #expect(try run("data\n\n", upTo: 0) == .init(records: 0, bytes: 0))
    }

    @Test func bytesThatAreNoTextPass() throws {
        let bytes: [UInt8] = Array("data: ".utf8) + [0, 0xFF, 0xC3, 0x28, 0x0A, 0x0A]
        let run = try bytes.withUnsafeBytes { try RecordFramer.events.run(in: $0, maximum: ByteCount(100)) }
        #expect(run == .init(records: 1, bytes: bytes.count))
    }

    @Test func aBlockMayBeExactlyAsLongAsTheMaximum() throws {
        #expect(try run("data: a\n\n", maximum: 9) == .init(records: 1, bytes: 9))
        #expect(throws: RecordFramer.Failure.self) { try run("data: ab\n\n", maximum: 9) }
        #expect(throws: RecordFramer.Failure.self) { try run("data: a\nda", maximum: 9) }
        #expect(try run("data\n\ndata: ab\n\n", maximum: 9) == .init(records: 1, bytes: 6))
    }

    @Test(arguments: [
        ("data: a", 0), ("data: a\n", 0), (":", 0), ("", 0), ("data: a\n\r", 1), ("data: a\r\n\r", 1), (":\n\r", 0),
    ])
    func atTheEndABlockCountsIfItsEmptyLineIsThere(text: String, records: Int) {
        let last = Array(text.utf8).withUnsafeBytes { RecordFramer.events.last(in: $0) }
        #expect(last == .init(records: records, bytes: text.utf8.count))
    }

    private static let tokens = [
        "data", "data:", "data: x", ": c", "id: 1", "retry: 9", "y", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r",
        ": c\n", "retry: 9\r\n",
    ]

    static func stream(_ random: inout SeededGenerator) -> [UInt8] {
        let first = Int.random(in: 0..<8, using: &random) == 0 ? "\u{FEFF}" : ""
        return Array(
            (0..<Int.random(in: 0...30, using: &random)).reduce(first) { text, _ in
                text + (tokens.randomElement(using: &random) ?? "")
            }.utf8)
    }

    /// What a client has got is, at every moment, as many events as were counted.
    @Test(arguments: 0..<300) func countsTheEventsThatAReaderDispatches(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let bytes = Self.stream(&random)
        let expected = EventReader(bytes).events.count
        for _ in 0..<20 {
            let tap = RecordTap(.events, records: Int.random(in: 1...4, using: &random))
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...12, using: &random))
                rest = rest.dropFirst(piece.count)
                let credit = [0, 1, 2, .max].randomElement(using: &random) ?? 0
                let limit = Int.random(in: 0...30, using: &random)
                try tap.push(piece, credit: credit, limit: limit)
                #expect(EventReader(tap.output).events.count == tap.passedRecords)
                try tap.take(1, limit: limit)
                #expect(EventReader(tap.output).events.count == tap.passedRecords)
            }
            try tap.finish()
            try tap.takeAll()
            #expect(tap.output == bytes)
            #expect(tap.passedRecords == expected)
            #expect(tap.isEmpty)
        }
    }

    @Test(arguments: 0..<100) func everySplitInTwoGivesTheSame(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let bytes = Self.stream(&random)
        let expected = EventReader(bytes).events.count
        for cut in 0...bytes.count {
            for credit in [0, 1, .max] {
                let tap = RecordTap(.events, records: 2)
                try tap.push(bytes[..<cut], credit: credit)
                try tap.push(bytes[cut...], credit: credit)
                try tap.finish()
                try tap.takeAll()
                #expect((tap.output, tap.passedRecords) == (bytes, expected), "cut at \(cut)")
            }
        }
    }
}
