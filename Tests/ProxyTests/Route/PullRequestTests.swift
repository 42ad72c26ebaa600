import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings
import Testing
import Upstream

@testable import Proxy

@Suite struct PullRequestTests {
    private func sent(
        _ fields: [String], _ headers: HTTPHeaders, trusted: [AddressBlock] = []
    ) throws -> HTTPHeaders {
        var settings = Route(match: .init(), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        settings.shared = Route.Sharing()
        settings.shared?.key = fields
        let route = ProxyRoute(settings), clients = ClientAddress(trusted: trusted)
        let request = try Request(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers),
            peer: PeerAddress("192.0.2.1"))
        guard case .shared(let key, _)? = route.sharing?.sharing(of: request, by: clients) else {
            throw JoinError.refused(.method)
        }
        var list = HeaderList()
        route.writeHeader(
            to: &list, of: key, at: route.upstreams[0].address,
            forwarding: Forwarding(clients: clients, pseudonym: "weir"))
        return HTTPHeaders(list)
    }

    @Test func nothingOfAClientIsSentThatIsNotInTheKey() throws {
        let headers = HTTPHeaders([
            ("Host", "example.com"), ("X-Tenant", "a"), ("x-tenant", "b"), ("User-Agent", "me"),
            ("X-Api-Key", "secret"),
            ("X-Forwarded-For", "192.0.2.7"), ("Last-Event-ID", "7"), ("X-Stream-Rate-Limit", "1/second"),
            ("If-None-Match", "x"),
        ])
        let sent = try sent(["X-Tenant", "Accept"], headers)
        #expect(
            sent.map { "\($0.name): \($0.value)" } == [
                "Host: example.com", "X-Tenant: a", "X-Tenant: b", "Via: 1.1 weir", "Accept-Encoding: identity",
            ])
    }

    /// RFC 9110, section 7.6.1: such a field ends at this proxy, so it distinguishes no requests for the upstream.
    @Test func aFieldThatConnectionNamesIsNotSent() throws {
        let headers = HTTPHeaders([
            ("Host", "example.com"), ("Connection", "close, X-Tenant"), ("X-Tenant", "a"), ("Accept", "b"),
        ])
        let sent = try sent(["X-Tenant", "Accept"], headers)
        #expect(sent["X-Tenant"].isEmpty)
        #expect(sent["Accept"] == ["b"])
    }

    /// The upstream trusts these, so that they pass only from a trusted peer, as on a route that does not share.
    @Test func aFieldOfProxiesIsAbsentUnlessThePeerIsTrusted() throws {
        let names = ["X-Real-IP", "X-Original-URL", "X-Forwarded-Prefix", "X-Tenant"]
        let headers = HTTPHeaders([("Host", "example.com")] + names.map { ($0, "x") })
        let fromAny = try sent(names, headers)
        #expect(names.map { fromAny[$0] } == [[], [], [], ["x"]])
        let fromTrusted = try sent(names, headers, trusted: [#require(AddressBlock("192.0.2.0/24"))])
        #expect(names.allSatisfy { fromTrusted[$0] == ["x"] })
    }
}
