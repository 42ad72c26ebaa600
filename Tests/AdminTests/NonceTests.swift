import Testing

@testable import Admin

/// Gives the same bits again and again.
private struct ConstantGenerator: RandomNumberGenerator {
    let bits: UInt64
    func next() -> UInt64 { bits }
}

@Suite struct NonceTests {
    @Test func isAlwaysAllOf128Bits() {
        var (none, one, all) = (
            ConstantGenerator(bits: 0), ConstantGenerator(bits: 1), ConstantGenerator(bits: .max)
        )
        #expect(Nonce(using: &none).text == String(repeating: "0", count: 32))
        #expect(Nonce(using: &one).text == "00000000000000010000000000000001")
        #expect(Nonce(using: &all).text == String(repeating: "f", count: 32))
    }

    @Test func noTwoAreTheSame() {
        var generator = SystemRandomNumberGenerator()
        let texts = (0..<1000).map { _ in Nonce(using: &generator).text }
        #expect(Set(texts).count == texts.count)
    }
}
