/// The nonce of one `Content-Security-Policy`: 128 random bits, the minimum of CSP
/// (https://www.w3.org/TR/CSP3/#security-nonces).
struct Nonce {
    /// 32 hexadecimal digits.
    let text: String

    /// - Parameter generator: Must be cryptographically secure: a script with a guessed nonce would be allowed to run.
    init(using generator: inout some RandomNumberGenerator) {
        let bits = UInt128(truncatingIfNeeded: generator.next() as UInt64) << 64 | UInt128(generator.next() as UInt64)
        let digits = String(bits, radix: 16)
        text = String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }
}
