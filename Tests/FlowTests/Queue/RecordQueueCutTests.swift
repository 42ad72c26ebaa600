import Flow
import TestSupport
import Testing

/// However the input is cut, and whenever what may leave: the same records come out.
@Suite struct RecordQueueCutTests {
    /// What becomes of a whole stream.
    private struct Result: Equatable {
        var text: String
        var records: Int
        var failed: Bool
    }

    /// Small streams with everything that a cut could hurt.
    static let inputs = [
        "", "\n", "\r\n", "\r", "a", "a\n", "a\r\n", "a\nb\n", "a\r\nb\r\n", "\n\na\n\n\nb\n\n", "\r\n\r\na\r\n\r\n",
        "a\n\r\nb", "a\n\r", "\r\ra\n", " \n\t\n", "abcd\nabcd\n", "abcd\r\n", "a\nabcdef\nb\n", "abcdef", "\n\nabcdef",
        "abc\r\nabcd\r\na\n", "a\nb\nc\nd\ne\nf",
    ]
    static let longest = 6

    /// Says what must come out by reading the input in one piece, with the standard library.
    private static func expected(_ input: String) -> Result {
        var result = Result(text: "", records: 0, failed: false)
        var rest = Array(input.utf8)[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.endIndex
            let line = rest[..<end]
            guard line.count <= longest else {
                result.failed = true
                return result
            }
            result.text += String(decoding: line, as: UTF8.self)
            if !line.elementsEqual([0x0A]), !line.elementsEqual([0x0D, 0x0A]) { result.records += 1 }
            rest = rest[end...]
        }
        return result
    }

    /// Pushes the pieces, takes by the plan in between, and takes the rest in the end.
    private static func result(
        of pieces: [ArraySlice<UInt8>], records bound: Int = 3, bytes: Int = 1000,
        between plan: (Int) -> (push: Int, take: Int, limit: Int)
    ) -> Result {
        let tap = RecordTap(records: bound, bytes: bytes, record: longest)
        var failed = false
        do {
            for (index, piece) in pieces.enumerated() {
                let step = plan(index)
                try tap.push(piece, credit: step.push, limit: step.limit)
                #expect(tap.records <= bound)
                if step.take > 0 { try tap.take(step.take, limit: step.limit) }
                #expect(tap.output.isEmpty || tap.output.last == 0x0A, "cut only after a whole record")
            }
            try tap.finish()
            try tap.takeAll()
        } catch {
            failed = true
            tap.dropUnframed()
            #expect(throws: Never.self) { try tap.takeAll() }
        }
        #expect(tap.isEmpty)
        return Result(text: tap.text, records: tap.passedRecords, failed: failed)
    }

    private static func pieces(_ bytes: [UInt8], cutAt cuts: [Int]) -> [ArraySlice<UInt8>] {
        let borders = [0] + cuts + [bytes.count]
        return zip(borders, borders.dropFirst()).map { bytes[$0..<$1] }
    }

    /// How the client may take it: at once, not before the end, one by one, by few bytes.
    private static let plans: [@Sendable (Int) -> (push: Int, take: Int, limit: Int)] = [
        { _ in (.max, 0, .max) }, { _ in (0, 0, .max) }, { _ in (1, 0, .max) }, { _ in (0, 1, .max) },
        { _ in (2, 1, 4) }, { ($0 % 2, ($0 + 1) % 2, 1 + $0 % 7) },
    ]

    @Test(arguments: inputs) func inOnePiece(input: String) {
        for plan in Self.plans {
            #expect(Self.result(of: [Array(input.utf8)[...]], between: plan) == Self.expected(input))
        }
    }

    @Test(arguments: inputs) func byteByByte(input: String) {
        let bytes = Array(input.utf8)
        for plan in Self.plans {
            #expect(
                Self.result(of: bytes.indices.map { bytes[$0...$0] }, between: plan) == Self.expected(input))
        }
    }

    @Test(arguments: inputs) func cutInTwoPlaces(input: String) {
        let bytes = Array(input.utf8)
        let expected = Self.expected(input)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                for plan in Self.plans {
                    let result = Self.result(of: Self.pieces(bytes, cutAt: [first, second]), between: plan)
                    #expect(result == expected, "cut at \(first) and \(second)")
                }
            }
        }
    }

    @Test(arguments: 0..<200) func cutAnywhereWithAnyCredits(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("ab\r\n\n".utf8)
        let bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in
            alphabet[Int.random(in: alphabet.indices, using: &random)]
        }
        let cuts = (0..<Int.random(in: 0...30, using: &random)).map { _ in
            Int.random(in: 0...bytes.count, using: &random)
        }
        let credits = [0, 0, 1, 2, 5, .max]
        let steps = (0...cuts.count).map { _ in
            (
                push: credits.randomElement(using: &random) ?? 0, take: credits.randomElement(using: &random) ?? 0,
                limit: Int.random(in: 0...20, using: &random)
            )
        }
        let input = String(decoding: bytes, as: UTF8.self)
        let result = Self.result(
            of: Self.pieces(bytes, cutAt: cuts.sorted()), records: Int.random(in: 1...4, using: &random),
            bytes: Int.random(in: 1...30, using: &random)
        ) { steps[$0] }
        #expect(result == Self.expected(input))
    }
}
