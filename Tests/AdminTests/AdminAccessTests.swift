import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings
import Testing

@testable import Admin

@Suite struct AdminAccessTests {
    private static let token = "0123456789abcdef"

    private func refusal(
        _ path: String, token: String? = nil, host: String? = "127.0.0.1:9090", peer: String = "127.0.0.1",
        authorization: [String] = [], fields: [(String, String)] = []
    ) -> Problem? {
        var headers = HTTPHeaders(authorization.map { ("Authorization", $0) } + fields)
        if let host { headers.add(name: "Host", value: host) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        guard let request = try? Request(head: head, peer: PeerAddress(peer)) else { return .malformedRequest }
        return AdminAccess(token: token.map { Secret($0) }).refusal(of: request)
    }

    // MARK: With a token

    @Test(arguments: [
        "Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER   0123456789abcdef",
    ])
    func theTokenIsAccepted(authorization: String) {
        #expect(refusal("/metrics", token: Self.token, host: "weir.example", authorization: [authorization]) == nil)
    }

    @Test func aRequestWithoutATokenIsChallenged() {
        let problem = refusal("/v1/admin/state", token: Self.token)
        #expect(problem == .adminTokenMissing)
        #expect(problem?.challenge == "Bearer realm=\"weir\"")
    }

    @Test(arguments: [
        ["Bearer"], ["Bearer "], ["Bearer 0123456789abcde"], ["Bearer 0123456789abcdef0"], ["Bearer 0123456789abcdeF"],
        ["Basic 0123456789abcdef"], ["0123456789abcdef"], ["Bearer 0123456789abcdef x"],
        ["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"],
    ])
    func anyOtherTokenIsRefused(authorization: [String]) {
        let problem = refusal("/metrics", token: Self.token, authorization: authorization)
        #expect(problem == .adminTokenWrong)
        #expect(problem?.challenge?.hasSuffix("error=\"invalid_token\"") == true)
    }

    @Test(arguments: ["/livez", "/readyz", "/", "/?x=1", "/livez?verbose"])
    func pagesWithoutDataAreOpen(path: String) {
        #expect(refusal(path, token: Self.token) == nil)
        #expect(refusal(path, host: "rebound.example") == nil)
    }

    @Test(arguments: ["/livez/", "//", "/metrics/livez", "/v1/health/streaming"]) func nothingElseIs(path: String) {
        #expect(refusal(path, token: Self.token) == .adminTokenMissing)
    }

    // MARK: Without a token

    @Test(arguments: ["127.0.0.1", "127.0.0.1:9090", "[::1]:9090", "localhost", "LocalHost:80", "10.0.0.1:1"])
    func anAddressIsAcceptedAsHost(host: String) {
        #expect(refusal("/metrics", host: host) == nil)
    }

    @Test(arguments: ["rebound.example", "127.0.0.1.example:9090", "localhost.example", "[::1", "", "a b"])
    func aNameIsRefusedAsHost(host: String) {
        #expect(refusal("/metrics", host: host) == .adminByName)
    }

    @Test func aRequestWithoutHostIsNotOfABrowser() { #expect(refusal("/metrics", host: nil) == nil) }

    @Test func aUnixSocketAcceptsAnyHost() { #expect(refusal("/metrics", host: "weir", peer: "") == nil) }

    // MARK: Pages of other origins

    @Test(arguments: ["cross-site", "same-site", "CROSS-SITE", "", "same-origin, none"])
    func aPageOfAnotherOriginIsRefused(site: String) {
        let fields = [("Sec-Fetch-Site", site)]
        #expect(refusal("/v1/admin/events", fields: fields) == .adminCrossOrigin)
        let authorization = ["Bearer \(Self.token)"]
        let problem = refusal("/v1/admin/events", token: Self.token, authorization: authorization, fields: fields)
        #expect(problem == .adminCrossOrigin)
    }

    @Test(arguments: ["same-origin", "none"])
    func requestsOfItsOwnPageAndOfTheAddressBarAreAccepted(site: String) {
        #expect(refusal("/v1/admin/events", fields: [("Sec-Fetch-Site", site)]) == nil)
        // A proxy before the listener may have changed Host.
        let fields = [("Sec-Fetch-Site", site), ("Origin", "https://weir.example")]
        #expect(refusal("/v1/admin/events", fields: fields) == nil)
    }

    @Test func oneForeignValueIsEnough() {
        let fields = [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")]
        #expect(refusal("/metrics", fields: fields) == .adminCrossOrigin)
        let origins = [("Origin", "http://127.0.0.1:9090"), ("Origin", "http://evil.example")]
        #expect(refusal("/metrics", fields: origins) == .adminCrossOrigin)
    }

    @Test(arguments: [
        "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:3000", "null", "", "127.0.0.1:9090",
        "http://127.0.0.1:9090.evil.example",
    ])
    func aForeignOriginIsRefused(origin: String) {
        #expect(refusal("/v1/admin/events", fields: [("Origin", origin)]) == .adminCrossOrigin)
    }

    @Test(arguments: ["http://127.0.0.1:9090", "HTTP://127.0.0.1:9090"]) func itsOwnOriginIsNot(origin: String) {
        #expect(refusal("/v1/admin/events", fields: [("Origin", origin)]) == nil)
        #expect(refusal("/v1/admin/events", host: nil, fields: [("Origin", origin)]) == .adminCrossOrigin)
    }

    @Test(arguments: ["/livez", "/readyz", "/"]) func aLinkToAPageWithoutDataWorks(path: String) {
        #expect(refusal(path, fields: [("Sec-Fetch-Site", "cross-site")]) == nil)
    }
}
