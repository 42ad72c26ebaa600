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

    @Test func bytesInOnePieceAreTheSameText() {
        let all = (UInt8.min...UInt8.max).map { $0 }
        for bytes in [all, Array("text/plain".utf8), []] {
            #expect(bytes.withUnsafeBytes { FieldText.string($0) } == FieldText.string(bytes))
        }
    }

    @Test(arguments: ["", "text/plain", "Zo\u{EB}", "\u{100}"]) func whatIsCopiedAreItsBytes(text: String) {
        let expected = FieldText.bytes(text) ?? Array(text.utf8)
        let copied = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { target in
            guard let start = target.baseAddress else { return [] as [UInt8] }
            return Array(target.prefix(FieldText.copy(text, to: start)))
        }
        #expect(copied == expected)
    }

    @Test func isReadableAsTheEncodingThatWasMeant() {
        #expect(FieldText.readable(FieldText.string(Array("Zoë".utf8))) == "Zoë")
        #expect(FieldText.readable(FieldText.string([0x5A, 0x6F, 0xEB])) == "Zoë")
        #expect(FieldText.readable("plain") == "plain")
    }
}
