import Glibc

/// Cryptographically secure random numbers, read from the system 256 bytes at a time; one for each event loop.
///
/// A stream needs five of them at its start: one system call for six streams, instead of five for each.
struct RandomPool: RandomNumberGenerator {
    private static let size = 32
    private var numbers: [UInt64] = []

    mutating func next() -> UInt64 {
        if numbers.isEmpty { refill() }
        return numbers.removeLast()
    }

    private mutating func refill() {
        numbers = Array(repeating: 0, count: Self.size)
        numbers.withUnsafeMutableBytes { bytes in
            // getentropy(3): 256 bytes are the maximum, and are returned completely once the system has seeded its generator.
            let result = bytes.baseAddress.map { getentropy($0, bytes.count) }
            precondition(result == 0, "the system has no random numbers")
        }
    }
}
