import NIOHTTP1
import Settings
import TestSupport
import Testing

@testable import Proxy

/// Which trailers of a route's messages are forwarded.
@Suite struct TrailerRulesTests {
    private let trailers: HTTPHeaders = [
        "X-Sum": "1", "X-TIER": "gold", "x-api-key": "other", "X-Role": "admin", "X-Debug": "1", "X-Version": "2",
        "X-Internal": "1", "Authorization": "Basic eDp5",
    ]

    private func rules(_ change: (inout Route) -> Void) -> TrailerRules {
        TrailerRules(Configuration.oneRoute(change).routes[0])
    }

    @Test func fieldsThatTheRouteReadsOrRemovesAreNot() throws {
        let rules = rules { route in
            route.clientTier = .header("X-Tier")
            route.clientKey = .header("X-Api-Key")
            route.headers.request.remove = ["X-Debug", "x-role"]
            route.headers.response.remove = ["X-Internal"]
        }
        #expect(rules.ofRequest(trailers) == ["X-Sum": "1", "X-Version": "2", "X-Internal": "1"])
        #expect(
            rules.ofResponse(trailers) == [
                "X-Sum": "1", "X-TIER": "gold", "x-api-key": "other", "X-Role": "admin", "X-Debug": "1",
                "X-Version": "2",
            ])
        #expect(rules.announced(by: ["Trailer": "X-Sum, x-tier, X-Role"]) == ["X-Sum"])
    }

    @Test func withoutRulesAllAreForwardedThatMayBeTrailers() {
        let rules = rules { _ in }
        let forwarded = HTTPHeaders(trailers.filter { $0.name != "Authorization" })
        #expect(rules.ofRequest(trailers) == forwarded)
        #expect(rules.ofResponse(trailers) == forwarded)
    }
}
