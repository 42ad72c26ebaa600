import Flow
import Testing

@Suite struct SharedKeysTests {
    private func expectKeys(of name: String, in keys: inout SharedKeys) {
        let client = ClientKey(name), digest = ClientDigest(client), found = keys.keys(of: client)
        #expect(found.digest == digest)
        #expect(found.streams == StoreKey(.streams, route: "/a", client: digest))
        #expect(found.starts == StoreKey(.starts, route: "/a", client: digest))
        #expect(found.streamsOfRoute == StoreKey(.streams, route: "/a"))
        #expect(found.streams.isOfClient && !found.streamsOfRoute.isOfClient)
    }

    @Test func clientsOfOnePlaceGetTheirOwnNames() {
        var keys = SharedKeys(route: "/a")
        // More clients than places: some share one.
        for _ in 0..<2 {
            for number in 0..<SharedKeys.places + 100 { expectKeys(of: "\(number)", in: &keys) }
        }
        for _ in 0..<2 { expectKeys(of: "ann", in: &keys) }
    }
}
