/// A message of the store's channel: a replica has opened a client's breaker.
///
/// `end remaining key`, separated by spaces; times are in microseconds, and the end is on the store's clock.
package struct BreakerNotice: Equatable, Sendable {
    /// When the breaker is half-open, on the store's clock: a later opening has a later one.
    package let end: Int64
    /// The time until then.
    package let remaining: Duration
    package let key: BreakerKey

    private static let mostBytes = 2 * 16 + BreakerKey.length + 2
    /// A cooldown of at most a day, and a fifth.
    static let longest = Duration.seconds(30 * 3600)

    package init(end: Int64, remaining: Duration, key: BreakerKey) {
        (self.end, self.remaining, self.key) = (end, remaining, key)
    }

    /// Reads a message; `nil` for everything that the scripts do not send.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.mostBytes, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let end = Self.number(parts[0]), let rest = Self.number(parts[1]),
            let key = BreakerKey(parts[2]), rest > 0, rest <= Self.longest.storeMicroseconds
        else { return nil }
        self.init(end: end, remaining: .microseconds(rest), key: key)
    }

    private static func number(_ text: Substring) -> Int64? {
        (1...16).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }
}
