import Flow
import Settings
import Testing
import Upstream

@testable import Proxy

@Suite struct RouteUpstreamTests {
    private func upstreams(
        _ addresses: [UpstreamAddress], after previous: [RouteUpstream] = [], _ change: (inout Route) -> Void = { _ in }
    ) -> [RouteUpstream] {
        var route = Route(match: .init(path: "/"), upstreams: addresses)
        change(&route)
        return RouteUpstream.all(of: route, after: previous)
    }

    private let plain = UpstreamAddress(host: "one", port: 9000)
    private let secure = UpstreamAddress(scheme: .https, host: "one", port: 9000)

    /// The idle connections of an origin belong to the object.
    @Test func anUnchangedUpstreamKeepsItsOrigin() {
        let first = upstreams([plain])
        let second = upstreams([UpstreamAddress(host: "two", port: 9000), plain], after: first)
        #expect(second[1].origin === first[0].origin && second[0].origin !== first[0].origin)
        let changed = upstreams([plain], after: first) { $0.timeouts.connect = .seconds(77) }
        #expect(changed[0].origin !== first[0].origin)
    }

    @Test func anUpstreamIsNamedAsItIsConfigured() {
        #expect(upstreams([plain, secure]).map(\.name) == ["http://one:9000", "https://one:9000"])
    }

    @Test func theServerNameReplacesTheHostOfTheURL() {
        let addresses = [secure, UpstreamAddress(scheme: .https, host: "::1", port: 9443), plain]
        let named = upstreams(addresses) { $0.upstreamTLS.serverName = "shop.example" }.map(\.origin)
        #expect(named.map(\.url) == ["https://shop.example:9000", "https://shop.example:9443", "http://one:9000"])
        #expect(named.map(\.target) == ["::one:9000", "::[::1]:9443", nil])
        #expect(upstreams([secure])[0].origin.target == nil)
    }

    @Test func onlyHTTPSHasTrust() {
        #expect(upstreams([plain])[0].origin.trust == nil)
        #expect(upstreams([secure])[0].origin.trust == .system)
        let insecure = upstreams([secure]) { $0.upstreamTLS.isInsecure = true }
        #expect(insecure[0].origin.trust == .anybody)
        let own = upstreams([secure]) {
            $0.upstreamTLS.authority = WrittenPath(path: "/ca.pem", written: "`/ca.pem`", line: 1, column: 1)
        }
        #expect(own[0].origin.trust == .authority(path: "/ca.pem"))
    }
}
