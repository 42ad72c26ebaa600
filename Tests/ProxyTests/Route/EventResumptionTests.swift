import Flow
import NIOHTTP1
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

/// The requests that find their streams by `Last-Event-ID`.
@Suite struct EventResumptionTests {
    private func key(
        _ clientKey: Route.ClientKey, _ headers: [(String, String)] = [], method: HTTPMethod = .GET,
        onClientGone: Route.ClientGone = .continue, resumeWindow: Duration? = .seconds(30)
    ) throws -> ResumptionKey? {
        var settings = Route(match: .init(path: "/"), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
        (settings.clientKey, settings.onClientGone, settings.resumeWindow) = (clientKey, onClientGone, resumeWindow)
        let request = try Request.of(method, "/", headers)
        let client = try ClientAddress(trusted: []).key(of: request, address: "192.0.2.1", by: clientKey)
        return ProxyRoute(settings).resumptionKey(of: request, from: client)
    }

    @Test func anAddressIsNoProof() throws {
        #expect(try key(.address(ipv6Prefix: 64)) == nil)
        #expect(try key(.address(ipv6Prefix: 64), [("Cookie", "a=b")]) == nil)
        #expect(try key(.address(ipv6Prefix: 64), [("Authorization", "Bearer x")]) != nil)
    }

    @Test func theHeaderOfTheRouteIsOneIfItIsSent() throws {
        #expect(try key(.header("X-Api-Key")) == nil)
        #expect(try key(.header("X-Api-Key"), [("X-Api-Key", "")]) == nil)
        let one = try key(.header("X-Api-Key"), [("X-Api-Key", "one")])
        #expect(try one != nil && one != key(.header("X-Api-Key"), [("X-Api-Key", "two")]))
    }

    @Test(arguments: ["X-Real-IP", "x-forwarded-for", "CF-Connecting-IP"])
    func whatProxiesReportOfAClientIsNone(name: String) throws {
        #expect(try key(.header(name), [(name, "192.0.2.7")]) == nil)
        #expect(try key(.header(name), [(name, "192.0.2.7"), ("Authorization", "Bearer x")]) != nil)
    }

    @Test func aConnectionWithoutACertificateHasNone() throws {
        #expect(try key(.certificate) == nil)
    }

    @Test func onlyGETWithoutContentIsResumed() throws {
        let sent = [("X-Api-Key", "one")]
        for method in [HTTPMethod.POST, .HEAD, .PUT] {
            #expect(try key(.header("X-Api-Key"), sent, method: method) == nil)
        }
        #expect(try key(.header("X-Api-Key"), sent + [("Content-Length", "1")]) == nil)
    }

    @Test func theRouteMustContinueForAWindow() throws {
        let sent = [("X-Api-Key", "one")]
        #expect(try key(.header("X-Api-Key"), sent, onClientGone: .wait) == nil)
        #expect(try key(.header("X-Api-Key"), sent, resumeWindow: nil) == nil)
    }
}
