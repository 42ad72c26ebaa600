import Foundation

/// What is read of strangers' bytes, and what must hold whatever they are.
///
/// Each is a function of one input, so that a fuzzer can search for an input that breaks it and a test can try those that were
/// found before. Beside what is thrown, what traps or what a sanitizer reports has broken it too.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Records of each format, under every overflow, and in any cut.
    case framing
    /// The header fields of clients for negotiation, traces and resumption, and those in which proxies name their clients.
    case negotiation
    /// The bodies of feedback.
    case feedback
    /// Keys out of records, with a pointer that the configuration could have.
    case keys
    /// The text of `proxy.conf`.
    case configuration
    /// Heads and trailers of upstreams.
    case heads
    /// Requests of HTTP/1.1.
    case requests
    /// Access logs, plain and gzip.
    case logs
    /// Replies of Redis.
    case redis

    /// - Throws: ``FuzzFailure`` where something does not hold.
    package func run(_ input: UnsafeRawBufferPointer) throws {
        switch self {
        case .framing: try Framing(input)?.check()
        case .negotiation: try Negotiation(input).check()
        case .feedback: try checkFeedback(input)
        case .keys: try checkKeys(input)
        case .configuration: try checkConfiguration(input)
        case .heads: try checkHeads(input)
        case .requests: try checkRequests(input)
        case .logs: try checkLogs(input)
        case .redis: try checkReplies(input)
        }
    }
}

package struct FuzzFailure: Error, CustomStringConvertible {
    package let description: String
}

func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw FuzzFailure(description: what()) }
}

/// Draws the same for the same seed.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: some BinaryInteger) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// xorshift64* (Vigna, 2016).
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

extension UnsafeRawBufferPointer {
    func from(_ start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Swift.min(start, count)...])
    }

    /// Cut into pieces of 1 to `most` bytes, each at an address of its own: a sanitizer detects a read after its end.
    func cut(upTo most: Int, seed: UInt8, _ piece: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        var rest = self, dice = Dice(seed: seed)
        while !rest.isEmpty {
            let size = Swift.min(rest.count, Int.random(in: 1...most, using: &dice))
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
            defer { copy.deallocate() }
            copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(size)))
            rest = rest.from(size)
            try piece(UnsafeRawBufferPointer(copy))
        }
    }
}
