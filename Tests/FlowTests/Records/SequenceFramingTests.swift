import Flow
import TestSupport
import Testing

/// JSON text sequences: what is a record, and where it ends.
///
/// `^` is RS.
@Suite struct SequenceFramingTests {
    private static func bytes(_ text: String) -> [UInt8] { text.utf8.map { $0 == UInt8(ascii: "^") ? 0x1E : $0 } }

    private func run(_ text: String, upTo limit: Int = .max, maximum: Int = 1000) throws -> RecordFramer.Run {
        try Self.bytes(text).withUnsafeBytes {
            try RecordFramer.sequence.run(in: $0, upTo: limit, maximum: ByteCount(maximum))
        }
    }

    /// Streams, and how many records they are.
    static let streams: [(text: String, records: Int)] = [
        ("", 0), ("^", 0), ("^^ \n^", 0), ("\n\r\n ", 0), ("^1\n", 1), ("^1\n^2\n", 2), ("^^^1\n^^2\n", 2),
        ("^{\"a\":1}\n", 1),
        ("^{\n \"a\": [\n1\n]\n}\n^2\n", 2), ("^\"a\\\"\n^\"b\"\n", 2), ("^{\"a\":\"}\\\\\"}\n^[]\n", 2),
        ("^\"{[\"\n^true\n", 2),
        ("^{\"a\":^{\"b\":2}\n", 2), ("^tru^true\n", 2), ("^{\"a\":\n^2\n", 2), ("^1\n\n\r\n^2\r\n", 2),
        (" \n^\n1\n^2\n", 2),
        ("{}\n{}\n", 2), ("^]\n^1\n", 2), ("^1", 1), ("^1\n^{\"a", 2), ("^1\n^", 1), ("^{\"a\":\"\n\"}\n^2\n", 2),
        ("a\nb\n^c\n", 3),
    ]

    @Test(arguments: [
        ("^1\n", 1, 3), ("^{}", 0, 0), ("^{}\n", 1, 4), ("^{}\n^", 1, 4), ("^{}\n\n", 1, 5), ("^{\n", 0, 0),
        ("^{\n}\n", 1, 5),
        ("^{^", 1, 2), ("^[{\n}\n]", 0, 0), ("^\"\n\"\n", 1, 5), ("^^1\n", 1, 4), ("\n", 0, 1), (" \r\n", 0, 3),
        ("^\n", 0, 0),
        ("^ \n1\n", 1, 5),
    ]) func aTextEndsWhereNothingIsOpen(text: String, records: Int, bytes: Int) throws {
        #expect(try run(text) == .init(records: records, bytes: bytes))
    }

    @Test func takesNoMoreRecordsThanItMay() throws {
        #expect(try run("^1\n^2\n^3\n", upTo: 2) == .init(records: 2, bytes: 6))
        #expect(try run("^1\n\n^2\n", upTo: 1) == .init(records: 1, bytes: 4))
    }

    @Test func aTextMayBeExactlyAsLongAsTheMaximum() throws {
        #expect(try run("^12\n", maximum: 4) == .init(records: 1, bytes: 4))
        #expect(throws: RecordFramer.Failure.self) { try run("^123\n", maximum: 4) }
        #expect(throws: RecordFramer.Failure.self) { try run("^1234", maximum: 4) }
        #expect(throws: RecordFramer.Failure.self) { try run("^^^^^", maximum: 4) }
    }

    @Test(arguments: streams) func everySplitGivesTheSame(text: String, records: Int) throws {
        let bytes = Self.bytes(text)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                for credit in [0, 1, .max] {
                    let tap = RecordTap(.sequence, records: 2)
                    for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                        try tap.push(piece, credit: credit)
                    }
                    try tap.finish()
                    try tap.takeAll()
                    #expect((tap.output, tap.passedRecords) == (bytes, records), "cut at \(first) and \(second)")
                    #expect(tap.isEmpty)
                }
            }
        }
    }

    /// A value, written as a server may write it.
    private static func value(_ random: inout SeededGenerator, depth: Int = 0) -> String {
        let space = { (random: inout SeededGenerator) in
            ["", "", "\n", " ", "\r\n\t"].randomElement(using: &random) ?? ""
        }
        switch Int.random(in: 0..<(depth < 3 ? 7 : 4), using: &random) {
        case 0: return "1"
        case 1: return "null"
        case 2: return #""a\"}]\\""#
        case 3: return #""{[""#
        case 4: return "[]"
        case 5:
            return
                "[\(space(&random))\(value(&random, depth: depth + 1)),\(value(&random, depth: depth + 1))\(space(&random))]"
        default: return "{\(space(&random))\"k\":\(space(&random))\(value(&random, depth: depth + 1))\(space(&random))}"
        }
    }

    /// Each text leaves as soon as its LF is there, whole.
    @Test(arguments: 0..<200) func eachTextLeavesWithItsLineFeed(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let texts = (0..<12).map { _ in Self.bytes("^\(Self.value(&random))\n") }
        let tap = RecordTap(.sequence)
        for (number, text) in texts.enumerated() {
            let cut = Int.random(in: 0...text.count, using: &random)
            try tap.push(text[..<cut], credit: .max)
            try tap.push(text[cut...], credit: .max)
            #expect(tap.passedRecords == number + 1)
            #expect(tap.isEmpty)
        }
        let all = RecordTap(.sequence)
        try all.push(texts.flatMap { $0 }, credit: .max)
        #expect((all.passedRecords, all.output) == (tap.passedRecords, tap.output))
    }

    @Test(arguments: 0..<200) func anyBytesAreCountedAlikeInAnySplit(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Self.bytes("^^\n\n{}[]\"\\1 ")
        let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
            alphabet[Int.random(in: alphabet.indices, using: &random)]
        }
        let whole = RecordTap(.sequence)
        try whole.push(bytes)
        try whole.finish()
        try whole.takeAll()
        for _ in 0..<20 {
            let tap = RecordTap(.sequence, records: Int.random(in: 1...4, using: &random))
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...9, using: &random))
                rest = rest.dropFirst(piece.count)
                try tap.push(
                    piece, credit: [0, 1, .max].randomElement(using: &random) ?? 0,
                    limit: Int.random(in: 0...20, using: &random))
            }
            try tap.finish()
            try tap.takeAll()
            #expect((tap.output, tap.passedRecords) == (bytes, whole.passedRecords))
        }
    }
}
