import Flow
import Testing

@Suite struct ResumptionKeyTests {
    private func key(
        _ fields: [String: String] = [:], _ change: (inout ResumptionKey.Request) -> Void = { _ in }
    ) -> ResumptionKey? {
        var request = ResumptionKey.Request(
            route: "/", client: ClientKey("one"), isClientProved: true, isSecure: false, authority: "a.example",
            target: "/events?since=1")
        change(&request)
        return ResumptionKey(of: request) { name in fields[name].map { [$0] } ?? [] }
    }

    @Test func aRequestWithoutCredentialsHasNone() {
        #expect(key { $0.isClientProved = false } == nil)
        #expect(key(["authorization": ""]) { $0.isClientProved = false } == nil)
        #expect(key(["cookie": "theme=dark", "origin": "https://a"]) { $0.isClientProved = false } == nil)
        #expect(key(["authorization": "Bearer x"]) { $0.isClientProved = false } != nil)
    }

    @Test func equalRequestsOfOneClientHaveOne() {
        #expect(key() == key())
        #expect(key(["user-agent": "a", "cache-control": "no-cache"]) == key(["user-agent": "b"]))
    }

    @Test func eachPartThatIdentifiesTheResponseDistinguishes() {
        let others = [
            key { $0.client = ClientKey("two") }, key { $0.route = "/other" }, key { $0.isSecure = true },
            key { $0.authority = "b.example" }, key { $0.authority = nil }, key { $0.target = "/events?since=2" },
        ]
        for other in others { #expect(other != nil && other != key()) }
    }

    @Test(arguments: [
        "accept", "accept-encoding", "accept-language", "authorization", "cookie", "origin", "prefer", "range",
        "x-stream-buffer-size", "x-stream-rate-limit",
    ])
    func eachComparedFieldDistinguishes(name: String) {
        #expect(
            key([name: "a"]) != key() && key([name: "a"]) != key([name: "b"]) && key([name: "a"]) == key([name: "a"]))
        #expect(ResumptionKey.covers(vary: [" \(name.uppercased()) "]))
    }

    @Test func aResponseThatVariesWithAnotherFieldIsNotCovered() {
        #expect(ResumptionKey.covers(vary: []))
        #expect(!ResumptionKey.covers(vary: ["*"]) && !ResumptionKey.covers(vary: ["Accept", "X-Tenant"]))
    }
}
