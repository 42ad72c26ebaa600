/// The names of one client's states on one route, and of the route's own.
package struct ClientKeys: Sendable {
    package let digest: ClientDigest
    package let streams: StoreKey
    package let starts: StoreKey
    package let streamsOfRoute: StoreKey
}

/// The names of a route's states at the store, with those of the clients that have started streams there last.
///
/// A client's names begin with a hash, which costs more than the rest of its start. Each client has one place, which it takes
/// from the client there before: so there is no order to be kept, and the memory is bounded.
package struct SharedKeys: Sendable {
    package static let places = 512

    private struct Entry {
        let client: ClientKey
        let keys: ClientKeys
    }

    private let route: String
    private let streamsOfRoute: StoreKey
    private var entries: [Entry?] = []

    /// - Parameter route: Its name at all replicas.
    package init(route: String) {
        self.route = route
        streamsOfRoute = StoreKey(.streams, route: route)
    }

    /// The names of a client.
    ///
    /// - Complexity: O(1); one SHA-256 if the client has lost its place, or has had none.
    package mutating func keys(of client: ClientKey) -> ClientKeys {
        if entries.isEmpty { entries = Array(repeating: nil, count: Self.places) }
        let place = Int(UInt(bitPattern: client.hashValue) % UInt(Self.places))
        if let entry = entries[place], entry.client == client { return entry.keys }
        let digest = ClientDigest(client)
        let keys = ClientKeys(
            digest: digest, streams: StoreKey(.streams, route: route, client: digest),
            starts: StoreKey(.starts, route: route, client: digest), streamsOfRoute: streamsOfRoute)
        entries[place] = Entry(client: client, keys: keys)
        return keys
    }
}
