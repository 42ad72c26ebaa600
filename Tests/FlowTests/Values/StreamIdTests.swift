import Flow
import TestSupport
import Testing

@Suite struct StreamIdTests {
    private struct Counting: RandomNumberGenerator {
        var values: [UInt64]
        mutating func next() -> UInt64 { values.removeFirst() }
    }

    @Test func itsTextIsAll128BitsInHexadecimalDigits() {
        var generator = Counting(values: [0x0123_4567_89AB_CDEF, 0x0000_0000_0000_000A])
        #expect(StreamId(using: &generator).text == "0123456789abcdef000000000000000a")
    }

    @Test(arguments: 0..<50) func isReadBackFromItsText(seed: Int) {
        var generator = SeededGenerator(seed: seed)
        let id = StreamId(using: &generator)
        #expect(StreamId(id.text) == id)
        #expect(StreamId("/\(id.text)".dropFirst()) == id)
        #expect(StreamId(using: &generator) != id)
    }

    @Test(arguments: [
        "", "0123456789abcdef000000000000000", "0123456789abcdef000000000000000a0", "0123456789ABCDEF000000000000000A",
        "0123456789abcdefg00000000000000a", "0123456789abcdef00000000000000 a", "０000000000000000000000000000a",
    ])
    func isNotReadFromAnythingElse(text: String) {
        #expect(StreamId(text) == nil)
    }
}
