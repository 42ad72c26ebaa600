/// The name under which the replicas share the state of one limit, without the operator's prefix.
///
/// The client is hashed: an address is personal, and a header's value may be a secret, and others may read the store.
package struct StoreKey: Hashable, Sendable {
    /// What the state under the key is.
    package enum Kind: String, Sendable {
        case starts, streams, shares, replicas, breakers
    }

    package let text: String
    /// Computed once: a start looks each of its keys up about ten times.
    private let textHash: Int
    /// Whether the state is of one client, not of a whole route.
    package let isOfClient: Bool

    /// The state of a route, or the store's own.
    package init(_ kind: Kind, route: String) {
        self.init(kind.rawValue + ":" + route, isOfClient: false)
    }

    /// The state of one client.
    package init(_ kind: Kind, route: String, client: ClientDigest) {
        var text = kind.rawValue
        text.reserveCapacity(text.utf8.count + route.utf8.count + ClientDigest.length + 2)
        text += ":"
        text += route
        text += ":"
        text += client.text
        self.init(text, isOfClient: true)
    }

    private init(_ text: String, isOfClient: Bool) {
        (self.text, textHash, self.isOfClient) = (text, text.hashValue, isOfClient)
    }

    /// - Complexity: one SHA-256; a ``ClientDigest`` serves several keys.
    package init(_ kind: Kind, route: String, client: ClientKey) {
        self.init(kind, route: route, client: ClientDigest(client))
    }

    package static func == (left: StoreKey, right: StoreKey) -> Bool {
        left.textHash == right.textHash && left.isOfClient == right.isOfClient && left.text == right.text
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(textHash) }

    /// The counts of the replicas themselves: each writes one while it runs.
    package static let replicas = StoreKey(.replicas, route: "")
    /// The breakers that are open, and the channel on which they are announced.
    package static let breakers = StoreKey(.breakers, route: "")
    /// When the store's data begins: a store without it is new, or has lost its data.
    package static let born = "born"
}

/// What the store gets to know of a client: the first 128 bits of a hash.
package struct ClientDigest: Hashable, Sendable {
    /// Hexadecimal digits.
    static let length = 32

    let text: String

    /// - Complexity: one SHA-256.
    package init(_ client: ClientKey) { text = SHA256.hexDigest(of: Array(client.text.utf8), digits: Self.length) }
}
