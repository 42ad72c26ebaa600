package import Flow

/// The tiers of clients by their keys: the content of a ``Route/TierFile``.
///
/// Keys may be secrets: neither a description nor a mirror shows them.
package struct TierTable: Equatable, Sendable {
    /// By the text of the client's key.
    private var plain: [String: String] = [:]
    /// By the SHA-256 of the text, in 64 lower-case hexadecimal digits.
    private var hashed: [String: String] = [:]

    package init() {}

    /// The number of clients.
    package var count: Int { plain.count + hashed.count }

    /// The name of the tier of a client; `nil` if the file does not name the client.
    ///
    /// - Complexity: One look-up; one more, and the hash of the key, if the file has hashes and the first found nothing.
    package func tier(of client: ClientKey) -> String? {
        if let tier = plain[client.text] { return tier }
        return hashed.isEmpty ? nil : hashed[SHA256.hexDigest(of: Array(client.text.utf8))]
    }

    /// Adds a client; `false` if it is named already, and nothing has changed.
    mutating func add(_ key: TierLine.Key, tier: String) -> Bool {
        switch key {
        case .client(let client):
            guard plain[client.text] == nil else { return false }
            plain[client.text] = tier
        case .hash(let digits):
            guard hashed[digits] == nil else { return false }
            hashed[digits] = tier
        }
        return true
    }
}

extension TierTable: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(count) clients" }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
