@testable import LogReport

extension LogTally {
    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }
}

/// A text in gzip (RFC 1952) as one stored block (RFC 1951, section 3.2.4): at most 65,535 bytes.
func gzip(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    precondition(bytes.count <= 0xFFFF, "one block holds no more")
    func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    let block = [1] + littleEndian(bytes.count, 2) + littleEndian(~bytes.count, 2) + bytes
    return head + block + littleEndian(crc32(bytes), 4) + littleEndian(bytes.count, 4)
}

/// The checksum of RFC 1952, section 8, bit by bit.
private func crc32(_ bytes: [UInt8]) -> Int {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
    }
    return Int(~sum)
}
