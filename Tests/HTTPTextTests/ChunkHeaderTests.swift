import Testing

@testable import HTTPText

@Suite struct ChunkHeaderTests {
    private func read(_ line: String) -> ChunkHeader? {
        Array(line.utf8).withUnsafeBytes { ChunkHeader(line: $0) }
    }

    @Test(arguments: [
        ("0", 0), ("00", 0), ("5", 5), ("ab", 0xAB), ("AB", 0xAB), ("aB", 0xAB), ("0000000000000005", 5),
        ("7fffffffffffffff", Int.max),
    ]) func aSizeIsHexadecimal(line: String, size: Int) {
        let header = read(line)
        #expect(header?.size == size && header?.extensionBytes == 0)
    }

    @Test(arguments: [("5;", 1), ("5;a=b", 4), ("5 \t;a=\"b\"", 8), ("5;a;b", 4), ("5;a b\u{80}", 6)])
    func extensionsAreCounted(line: String, bytes: Int) {
        let header = read(line)
        #expect(header?.size == 5 && header?.extensionBytes == bytes)
    }

    @Test(arguments: [
        "", "x", "5zz", "5 ", "5\t", "2 x", ";a", " 5", "-5", "+5", "0x5", "5,a", "5;a\u{1}", "5;a\r", "5\n",
        "00000000000000005", "8000000000000000", "fffffffffffffffff",
    ]) func anythingElseIsMalformed(line: String) {
        #expect(read(line) == nil)
    }

    @Test func theFaultIsNamed() {
        func fault(_ line: String) -> ChunkHeader.Fault? {
            var header = ChunkHeader()
            do throws(ChunkHeader.Fault) {
                for byte in line.utf8 { try header.take(byte) }
                return nil
            } catch {
                return error
            }
        }
        #expect(fault("5zz") == .size && fault("5 x") == .size)
        #expect(fault("00000000000000005") == .tooLarge)
        #expect(fault("5;\u{1}") == .controlCharacter)
        #expect(fault("5;a") == nil)
    }

    /// A line is complete where its end may follow: not before the size, nor between white space and an extension.
    @Test func aLineMayEndAfterItsSizeOrAnExtension() throws {
        var header = ChunkHeader(), complete: [Bool] = []
        for byte in "5 ;a".utf8 {
            complete.append(header.isComplete)
            try header.take(byte)
        }
        #expect(complete + [header.isComplete] == [false, true, false, true, true])
    }
}
