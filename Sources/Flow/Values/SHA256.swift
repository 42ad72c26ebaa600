/// SHA-256 (FIPS 180-4, section 6.2) of bytes in memory.
///
/// For values that are hashed at most once per request.
package enum SHA256 {
    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2).
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    /// Hashes bytes.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - digits: The number of digits to return, at most 64.
    /// - Returns: The hash, or its beginning, in lower-case hexadecimal digits.
    /// - Complexity: O(`bytes.count`).
    package static func hexDigest(of bytes: [UInt8], digits: Int = 64) -> String {
        precondition(digits <= 64, "a hash has 64 digits")
        var hash: InlineArray<8, UInt32> = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        let message = padded(bytes)
        for start in stride(from: 0, to: message.count, by: 64) { take(message, from: start, into: &hash) }
        return String(unsafeUninitializedCapacity: digits) { text in
            for index in 0..<digits {
                text.initializeElement(at: index, to: digit(UInt8(hash[index / 8] >> UInt32(28 - index % 8 * 4) & 15)))
            }
            return digits
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// The message with a one bit, zeros and its length in bits appended, to whole blocks (section 5.1.1).
    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        let count = (bytes.count + 9 + 63) / 64 * 64
        var message = bytes
        message.reserveCapacity(count)
        message.append(0x80)
        message.append(contentsOf: repeatElement(0, count: count - message.count))
        let bits = UInt64(bytes.count) * 8
        for index in 0..<8 { message[count - 1 - index] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * index)) }
        return message
    }

    private static func take(_ message: [UInt8], from start: Int, into hash: inout InlineArray<8, UInt32>) {
        let words = schedule(of: message, from: start), constants = constants
        // The working variables have the names of the standard.
        var (a, b, c, d) = (hash[0], hash[1], hash[2], hash[3])
        var (e, f, g, h) = (hash[4], hash[5], hash[6], hash[7])
        for round in 0..<64 {
            let choice = (e & f) ^ (~e & g)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let first =
                h &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ choice &+ constants[round] &+ words[round]
            let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ majority
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ second)
        }
        hash[0] &+= a
        hash[1] &+= b
        hash[2] &+= c
        hash[3] &+= d
        hash[4] &+= e
        hash[5] &+= f
        hash[6] &+= g
        hash[7] &+= h
    }

    /// The 64 words of a block of 64 bytes.
    private static func schedule(of message: [UInt8], from start: Int) -> InlineArray<64, UInt32> {
        var words = InlineArray<64, UInt32>(repeating: 0)
        for index in 0..<16 {
            let first = start + 4 * index
            let (high, low) = (UInt32(message[first]) << 8 | UInt32(message[first + 1]), first + 2)
            words[index] = high << 16 | UInt32(message[low]) << 8 | UInt32(message[low + 1])
        }
        for index in 16..<64 {
            let (early, late) = (words[index - 15], words[index - 2])
            let low = rotated(early, 7) ^ rotated(early, 18) ^ early >> 3
            let high = rotated(late, 17) ^ rotated(late, 19) ^ late >> 10
            words[index] = words[index - 16] &+ low &+ words[index - 7] &+ high
        }
        return words
    }

    private static func rotated(_ word: UInt32, _ places: UInt32) -> UInt32 {
        word &>> places | word &<< (32 - places)
    }
}
