import CCrypto

/// The hash of FIPS 180-4, by OpenSSL's libcrypto, which libcurl brings along.
enum SHA256 {
    /// The hash of the bytes, in 64 lower-case hexadecimal digits.
    ///
    /// - Complexity: O(`bytes.count`).
    static func hexDigest(of bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(WEIR_SHA256_LENGTH)) { hash in
            weir_sha256(bytes, bytes.count, hash.baseAddress)
            return String(decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        }
    }
}
