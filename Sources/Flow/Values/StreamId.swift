/// The name of a stream, and the permission to give feedback on it: 128 random bits that cannot be guessed.
package struct StreamId: Hashable, Sendable {
    private let high: UInt64, low: UInt64

    /// Draws a new id.
    ///
    /// The generator must be cryptographically secure, as `SystemRandomNumberGenerator` is on Linux (getrandom(2)).
    package init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        low = generator.next()
    }

    /// Reads the text form; `nil` unless it is 32 hexadecimal digits in lower case.
    package init?(_ text: some StringProtocol) {
        let utf8 = text.utf8
        guard utf8.count == 32 else { return nil }
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for byte in utf8 {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            halves = (halves.high << 4 | halves.low >> 60, halves.low << 4 | UInt64(digit))
        }
        (high, low) = halves
    }

    /// 32 hexadecimal digits in lower case.
    package var text: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for index in 0..<16 {
                digits[index] = .hexDigit(UInt8(truncatingIfNeeded: high >> (60 - 4 * index)) & 0x0F)
                digits[index + 16] = .hexDigit(UInt8(truncatingIfNeeded: low >> (60 - 4 * index)) & 0x0F)
            }
            return 32
        }
    }
}
