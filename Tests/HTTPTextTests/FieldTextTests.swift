import Testing

@testable import HTTPText

struct FieldTextTests {
    @Test func keepsEveryByte() {
        let all = (UInt8.min...UInt8.max).map { $0 }
        #expect(FieldText.bytes(FieldText.string(all)) == all)
    }

    @Test func valuesThatDifferInOneByteAreTwoStrings() {
        let texts = Set((UInt8.min...UInt8.max).map { FieldText.string([0x6B, $0]) })
        #expect(texts.count == 256)
    }

    @Test func asciiIsTheSameText() {
        #expect(FieldText.string(Array("text/plain; q=0.5".utf8)) == "text/plain; q=0.5")
        #expect(FieldText.bytes("text/plain") == Array("text/plain".utf8))
    }

    @Test func noFieldHoldsAScalarAboveOneByte() { #expect(FieldText.bytes("\u{100}") == nil) }

    @Test(arguments: 0...40) func aByteAboveASCIIIsFoundAtEachIndex(length: Int) {
        let plain = [UInt8](repeating: UInt8(ascii: "a"), count: length)
        #expect(FieldText.string(plain) == String(repeating: "a", count: length))
        for index in plain.indices {
            var bytes = plain
            bytes[index] = 0xEB
            let text = FieldText.string(bytes)
            #expect(text.unicodeScalars.map(\.value) == bytes.map(UInt32.init))
            #expect(copied(text) == bytes)
        }
    }

    @Test(arguments: ["", "text/plain", "Zo\u{EB}", "\u{100}"]) func whatIsCopiedAreItsBytes(text: String) {
        let expected = FieldText.bytes(text) ?? Array(text.utf8)
        #expect(copied(text) == expected)
    }

    /// What is copied for a text of at most 64 bytes.
    private func copied(_ text: String) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { target in
            guard let start = target.baseAddress else { return [] }
            return Array(target.prefix(FieldText.copy(text, to: start)))
        }
    }

    @Test func isReadableInItsProbableEncoding() {
        #expect(FieldText.readable(FieldText.string(Array("Zoë".utf8))) == "Zoë")
        #expect(FieldText.readable(FieldText.string([0x5A, 0x6F, 0xEB])) == "Zoë")
        #expect(FieldText.readable("plain") == "plain")
    }
}
