import HTTPText
import Testing

@Suite struct ChunkFramingTests {
    /// RFC 9112, section 7.1: the size in hexadecimal, at each number of digits.
    @Test(arguments: [1, 15, 16, 255, 256, 4095, 4096, 65_535, 65_536, 1 << 20])
    func aChunkIsItsSizeItsBytesAndLineEnds(_ size: Int) {
        let body = (0..<size).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        let chunk = body.withUnsafeBytes { WholeChunk($0) }
        #expect(chunk.count == size)
        #expect(chunk.withBytes { Array($0) == body })
        let framed = Array((String(size, radix: 16) + "\r\n").utf8) + body + Array("\r\n".utf8)
        #expect(chunk.withFramedBytes { Array($0) == framed })
    }
}
