import TestSupport
import Testing

@testable import Upstream

@Suite struct ChunkedDecoderTests {
    private struct Result: Equatable {
        var data = ""
        var trailers: [String] = []
        var hasEnded = false
        var surplus = 0
    }

    /// Decodes a body that arrives in the given pieces.
    private func decode(_ pieces: [ArraySlice<UInt8>]) throws(ChunkedDecoder.Failure) -> Result {
        var decoder = ChunkedDecoder(), result = Result(), data: [UInt8] = []
        for piece in pieces {
            try withOwnMemory(of: piece) { bytes throws(ChunkedDecoder.Failure) in
                var rest = bytes
                input: while !rest.isEmpty {
                    switch try decoder.next(&rest) {
                    case .more: #expect(rest.isEmpty)
                    case .data(let bytes): data += bytes
                    case .trailer(let line): result.trailers.append(String(decoding: line, as: UTF8.self))
                    case .end: break input
                    }
                }
                result.surplus += rest.count
            }
        }
        result.data = String(decoding: data, as: UTF8.self)
        result.hasEnded = decoder.hasEnded
        return result
    }

    /// Decodes it whole, byte by byte, and in two pieces at each place: always with the same result.
    private func decode(_ text: String) throws -> Result {
        let bytes = Array(text.utf8)
        let result = try decode([bytes[...]])
        #expect(try decode(bytes.indices.map { bytes[$0...$0] }) == result)
        for cut in bytes.indices { #expect(try decode([bytes[..<cut], bytes[cut...]]) == result) }
        return result
    }

    @Test(arguments: [
        "5\r\nhello\r\n0\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "05\r\nhello\r\n000\r\n\r\n",
        "5;a=b\r\nhello\r\n0;c\r\n\r\n", "5 \t;a=\"b\"\r\nhello\r\n0\r\n\r\n",
        "0000000000000005\r\nhello\r\n0\r\n\r\n", "00000005\r\nhello\r\n000000000\r\n\r\n",
    ]) func aBodyIsItsChunksData(text: String) throws {
        #expect(try decode(text) == Result(data: "hello", hasEnded: true))
    }

    @Test func sizesAreHexadecimalInBothCases() throws {
        let data = String(repeating: "x", count: 0xAB)
        for size in ["ab", "AB", "aB"] { #expect(try decode("\(size)\r\n\(data)\r\n0\r\n\r\n").data == data) }
    }

    @Test(arguments: ["7fffffffffffffff", "7FFFFFFFFFFFFFFF", "00000000ffffffff", "123456789"])
    func ofALargeChunkAPartIsData(size: String) throws {
        #expect(try decode("\(size)\r\nhello\r\n0\r\n\r\n") == Result(data: "hello\r\n0\r\n\r\n"))
    }

    @Test func trailersAreLines() throws {
        let result = try decode("1\r\nx\r\n0\r\nA: b\r\nC:d\r\n\r\n")
        #expect(result == Result(data: "x", trailers: ["A: b", "C:d"], hasEnded: true))
    }

    @Test func whatFollowsTheEndDoesNotBelongToIt() throws {
        #expect(try decode("1\r\nx\r\n0\r\n\r\nHTTP/1.1") == Result(data: "x", hasEnded: true, surplus: 8))
    }

    @Test(arguments: ["5", "5\r\nhel", "5\r\nhello\r\n", "0\r\n", "0\r\nA: b\r\n", "0\r\n\r"])
    func aBodyWithoutItsLastChunkHasNotEnded(text: String) throws { #expect(try !decode(text).hasEnded) }

    @Test(arguments: [
        "5zz\r\nhello", "5 \r\nhello", "2 x\r\nhe", "x\r\n", "\r\n", ";a\r\n", " 5\r\n", "-5\r\n", "+5\r\n", "0x5\r\n",
        "5\nhello", "5\r\r\n", "5\rhello", "5\r\nhellox\r\n", "5\r\nhello\n0", "5\r\nhello\r\r\n", "5;a\nhello",
        "5;a\u{1}\r\n", "0\r\nA: b\rC: d\r\n", "0\r\n\rx", "fffffffffffffffff\r\n", "8000000000000000\r\n",
    ]) func anythingElseIsMalformed(text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: ChunkedDecoder.Failure.self) { try decode([bytes[...]]) }
        #expect(throws: ChunkedDecoder.Failure.self) { try decode(bytes.indices.map { bytes[$0...$0] }) }
    }

    @Test func extensionsAndTrailersAreBounded() throws {
        func filler(_ count: Int) -> String { String(repeating: "x", count: count) }
        func decodes(_ text: String) -> Bool { (try? decode([Array(text.utf8)[...]])) != nil }
        #expect(decodes("1;\(filler(ChunkedDecoder.maximumExtension - 1))\r\n"))
        #expect(!decodes("1;\(filler(ChunkedDecoder.maximumExtension))"))
        #expect(decodes("0\r\n\(filler(ChunkedDecoder.maximumTrailer))\r\n"))
        #expect(!decodes("0\r\n\(filler(ChunkedDecoder.maximumTrailer + 1))"))
    }
}
