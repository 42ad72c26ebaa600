/// The name of a client's breaker at the store: a hash of the route and the client, of one length, which a message is checked by.
package struct BreakerKey: Hashable, Sendable {
    /// Hexadecimal digits.
    static let length = 32

    package let text: String

    /// - Complexity: one SHA-256.
    package init(route: String, client: ClientKey) {
        let bytes = Array(route.utf8) + [0] + Array(client.text.utf8)
        text = SHA256.hexDigest(of: bytes, digits: Self.length)
    }

    /// A key of a message; `nil` if it is not one.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.text = String(text)
    }
}
