import NIOCore
import TestSupport
import Testing

@testable import Redis

@Suite struct ReplyParserTests {
    private static let examples: [(text: String, replies: [Reply])] = [
        ("+OK\r\n", [.status("OK")]),
        ("+\r\n", [.status("")]),
        ("-READONLY You can't write\r\n", [.error(ServerError("READONLY You can't write"))]),
        (":0\r\n:-12\r\n", [.integer(0), .integer(-12)]),
        ("$5\r\na\r\nbc\r\n", [.bytes(Array("a\r\nbc".utf8))]),
        ("$0\r\n\r\n", [.bytes([])]),
        ("$-1\r\n*-1\r\n", [.null, .null]),
        ("*0\r\n+x\r\n", [.array([]), .status("x")]),
        ("*3\r\n:7\r\n:-1\r\n:0\r\n", [.integers([7, -1, 0])]),
        ("*2\r\n:7\r\n$-1\r\n", [.array([.integer(7), .null])]),
        ("*3\r\n:7\r\n$1\r\na\r\n:8\r\n", [.array([.integer(7), .bytes(Array("a".utf8)), .integer(8)])]),
        (
            "*4\r\n:007\r\n:123456789012345678\r\n:1234567890123456789\r\n:4\r\n",
            [.integers([7, 123_456_789_012_345_678, 1_234_567_890_123_456_789, 4])]
        ),
        (
            ":9223372036854775807\r\n:-9223372036854775808\r\n:007\r\n",
            [.integer(.max), .integer(.min), .integer(7)]
        ),
        (
            "*2\r\n*2\r\n:1\r\n$1\r\na\r\n*1\r\n-ERR x\r\n",
            [
                .array([.array([.integer(1), .bytes([0x61])]), .array([.error(ServerError("ERR x"))])])
            ]
        ),
    ]

    private func replies(
        to text: String, cut: [Int] = [], bounds: ReplyParser.Bounds = .init()
    ) throws(ReplyParser.Malformed) -> [Reply] {
        var parser = ReplyParser(bounds: bounds), replies: [Reply] = []
        let bytes = Array(text.utf8), ends = cut + [bytes.count]
        var start = 0
        for end in ends {
            parser.append(ByteBuffer(bytes: bytes[start..<end]))
            start = end
            while let reply = try parser.next() { replies.append(reply) }
        }
        return replies
    }

    @Test func readsEveryTypeUnderEveryCut() throws {
        for example in Self.examples {
            let count = example.text.utf8.count
            #expect(try replies(to: example.text) == example.replies)
            #expect(try replies(to: example.text, cut: Array(1..<count)) == example.replies)
            for first in 0...count {
                for second in first...count {
                    let cut = try replies(to: example.text, cut: [first, second])
                    #expect(cut == example.replies, "\(example.text) cut at \(first) and \(second)")
                }
            }
        }
    }

    @Test(arguments: [
        ("?1\r\n", ReplyParser.Malformed.type(0x3F)), ("\r\n", .line), ("+a\nb\r\n", .line), ("+a\rb", .line),
        (":\r\n", .number), (":+1\r\n", .number), (":1 \r\n", .number), (":-\r\n", .number),
        (":9223372036854775808\r\n", .number), (":-9223372036854775809\r\n", .number), (":1:\r\n", .number),
        ("$-2\r\n", .number), ("*-2\r\n", .number), ("$x\r\n", .number),
        ("*3\r\n:1\r\n:\r\n", .number), ("*3\r\n:1x\r\n", .number), ("*3\r\n:9223372036854775808\r\n", .number),
        ("*3\r\n:1\r2", .line), ("*3\r\n:1\n\r\n", .number),
        ("$1\r\nabc", .line), ("+\u{ff}\r\n", .line), ("HTTP/1.1 400 Bad Request\r\n", .type(0x48)),
    ]) func rejects(_ text: String, because reason: ReplyParser.Malformed) {
        let text = text == "+\u{ff}\r\n" ? "$1\r\n\u{e9}\r\n" : text
        #expect(throws: reason) { try replies(to: text) }
        #expect(throws: reason) { try replies(to: text, cut: Array(1..<text.utf8.count)) }
    }

    @Test func rejectsALineThatIsNotText() {
        var parser = ReplyParser()
        parser.append(ByteBuffer(bytes: [0x2B, 0xFF, 0x0D, 0x0A]))
        #expect(throws: ReplyParser.Malformed.line) { try parser.next() }
    }

    @Test func boundsEachDimension() {
        var bounds = ReplyParser.Bounds()
        (bounds.line, bounds.string, bounds.items, bounds.depth, bounds.bytes) = (8, 10, 3, 2, 40)
        for text in [
            "+12345678", "+123456789\r\n", "$11\r\n", "*4\r\n", ":123456789",
            "*3\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n+1\r\n",
            "*2\r\n:123456789\r\n:1\r\n",
            "*3\r\n:1234567\r\n*3\r\n:1234567\r\n:1234567\r\n:1234567\r\n:1\r\n",
        ] {
            #expect(throws: ReplyParser.Malformed.tooLarge) { try replies(to: text, bounds: bounds) }
        }
        #expect(throws: ReplyParser.Malformed.tooDeep) { try replies(to: "*1\r\n*1\r\n*1\r\n", bounds: bounds) }
        // The bound is of one reply, not of the connection.
        #expect(throws: Never.self) { try replies(to: String(repeating: "$5\r\n01234\r\n", count: 10), bounds: bounds) }
    }

    @Test(arguments: 0..<200) func anyBytesGiveTheSameUnderAnyCut(_ seed: Int) {
        var random = SeededGenerator(seed: seed)
        let words = [
            "+OK", "-ERR", ":1", "$3", "$-1", "*2", "*1", "*0", "\r\n", "\r\n", "\r\n", "abc", "\r", "\n", "9", "x",
        ]
        let text = (0..<20).map { _ in words.randomElement(using: &random) ?? "" }.joined()
        let bytes = text.utf8.count
        let cuts = Set((0..<5).map { _ in Int.random(in: 0...bytes, using: &random) }).sorted()
        let whole = Result<[Reply], ReplyParser.Malformed> { () throws(ReplyParser.Malformed) in try replies(to: text) }
        let cut = Result<[Reply], ReplyParser.Malformed> { () throws(ReplyParser.Malformed) in
            try replies(to: text, cut: cuts)
        }
        #expect(whole == cut)
    }
}
