import TestSupport
import Testing

@testable import Flow

@Suite struct RecordCutterTests {
    /// Cuts a text at each index, and joins what came out.
    @Test(arguments: [
        (RecordFramer.lines, "{\"a\":1}\n\n{\"b\":2}\r\nlast"),
        (.events, "\u{FEFF}: hi\nid: 7\ndata: x\n\n\r\ndata: y\r\n\r\n"),
        (.sequence, "\u{1E}{\"a\":1}\n \u{1E}[2]\n"),
    ])
    func everyCutGivesTheSameRecords(_ framer: RecordFramer, _ text: String) {
        let whole = Self.cut([Array(text.utf8)], framer)
        for cut in 1..<text.utf8.count {
            let parts = [Array(text.utf8.prefix(cut)), Array(text.utf8.dropFirst(cut))]
            #expect(Self.cut(parts, framer) == whole, "cut at \(cut)")
        }
        #expect(Array(whole.joined()) == Array(text.utf8))
    }

    /// The bytes up to the end of each record, and what is blank at the end.
    private static func cut(_ chunks: [[UInt8]], _ framer: RecordFramer) -> [[UInt8]] {
        var cutter = RecordCutter(framer: framer, maximum: .kibibytes(1))
        var (pieces, blank): ([[UInt8]], [UInt8]) = ([], [])
        func add(_ segment: LogSegment?) {
            guard let segment else { return }
            var start = 0
            for end in segment.ends {
                pieces.append(blank + segment.bytes[start..<end])
                (start, blank) = (end, [])
            }
            blank += segment.bytes[start...]
        }
        for chunk in chunks {
            chunk.withUnsafeBytes { cutter.push($0) }
            add(cutter.cut(at: .seconds(0)))
        }
        add(cutter.finish(at: .seconds(0)))
        return pieces + [blank]
    }

    @Test func recordsBeforeOneThatIsTooLongAreComplete() {
        var cutter = RecordCutter(framer: .lines, maximum: ByteCount(4))
        let segment = cutter.push("abc\nabcdef\nabc\n")
        #expect(segment?.bytes == Array("abc\n".utf8))
        #expect(cutter.failure == .recordTooLarge(limit: ByteCount(4)))
        let after = [cutter.push("abc\n"), cutter.finish(at: .seconds(0))]
        #expect(after.allSatisfy { $0 == nil })
    }

    @Test func whatArrivesInOneTurnIsOneSegment() {
        var cutter = RecordCutter(framer: .lines, maximum: .kibibytes(1))
        for part in ["a\nb", "\nc\n", "d"] { Array(part.utf8).withUnsafeBytes { cutter.push($0) } }
        let segment = cutter.cut(at: .seconds(0))
        #expect(segment?.bytes == Array("a\nb\nc\n".utf8))
        #expect(segment?.records == 3)
        #expect(cutter.cut(at: .seconds(0)) == nil)
    }

    @Test func anUnfinishedRecordWaits() {
        var cutter = RecordCutter(framer: .lines, maximum: .kibibytes(1))
        let none = cutter.push("ab")
        #expect(none == nil)
        #expect(cutter.heldBytes == 2)
        let segment = cutter.push("c\nd")
        #expect(segment?.records == 1)
        #expect(cutter.heldBytes == 1)
    }

    @Test func aCommentIsPassedWithoutARecord() {
        var cutter = RecordCutter(framer: .events, maximum: .kibibytes(1))
        let segment = cutter.push(":\n")
        #expect(segment?.records == 0)
        #expect(segment?.bytes == Array(":\n".utf8))
    }

    @Test func keysAndEventIdsAreReadOnce() {
        var cutter = RecordCutter(framer: .events, maximum: .kibibytes(1))
        let segment = cutter.push("id: 1\ndata: a\n\ndata: b\n\ndata:c\nid:2\nid:3\n\nid:\0\ndata: d\n\n")
        let ids = ["1", nil, "3", nil].map { $0.map { RecordKey.of($0) } }
        #expect(segment?.eventIds == ids)
        var lines = RecordCutter(framer: .lines, maximum: .kibibytes(1), keys: FirstCharacterKeys())
        let keyed = lines.push("a\n-\n")
        #expect(keyed?.keys == [RecordKey.of("a"), nil])
    }
}

extension RecordKey {
    /// The key of a text.
    static func of(_ text: String) -> RecordKey { Array(text.utf8).withUnsafeBytes { RecordKey($0) } }
}
