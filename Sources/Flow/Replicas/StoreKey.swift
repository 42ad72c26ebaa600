/// The name under which the replicas share the state of one limit, without the operator's prefix.
///
/// The client is hashed: an address is personal, and a header's value may be a secret, and others may read the store.
package struct StoreKey: Hashable, Sendable {
    /// What the state under the key is.
    package enum Kind: String, Sendable {
        case starts, streams, shares, replicas, breakers
    }

    package let text: String
    /// Whether the state is of one client, not of a whole route.
    package let isOfClient: Bool

    /// - Complexity: one SHA-256 of the client; keep the key for as long as the client is known.
    package init(_ kind: Kind, route: String, client: ClientKey? = nil) {
        isOfClient = client != nil
        guard let client else {
            text = "\(kind.rawValue):\(route)"
            return
        }
        text = "\(kind.rawValue):\(route):\(SHA256.hexDigest(of: Array(client.text.utf8)).prefix(32))"
    }

    /// The counts of the replicas themselves: each writes one while it runs.
    package static let replicas = StoreKey(.replicas, route: "")
    /// The breakers that are open, and the channel on which they are announced.
    package static let breakers = StoreKey(.breakers, route: "")
    /// When the store's data begins: a store without it is new, or has lost its data.
    package static let born = "born"
}
