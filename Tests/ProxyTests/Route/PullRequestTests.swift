import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings
import Testing
import Upstream

@testable import Proxy

@Suite struct PullRequestTests {
    private func sent(_ fields: [String], _ headers: HTTPHeaders) throws -> HTTPHeaders {
        var settings = Route(match: .init(), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        settings.shared = Route.Sharing()
        settings.shared?.key = fields
        let route = ProxyRoute(settings)
        let request = try Request(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers),
            peer: PeerAddress("192.0.2.1"))
        guard case .shared(let key, _)? = route.sharing?.sharing(of: request) else {
            throw JoinError.refused(.method)
        }
        var list = HeaderList()
        route.writeHeader(
            to: &list, of: key, at: route.upstreams[0].address,
            forwarding: Forwarding(clients: ClientAddress(trusted: []), pseudonym: "weir"))
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
}
