import Flow
import HTTPText
import Logging
import NIOHTTP1
import Observability
import Settings
import TestSupport
import Testing

@testable import Downstream
@testable import Proxy

/// Which tier a request has, and what becomes of its header.
@Suite struct ClientTierTests {
    private static let header = Route.TierSelector.header("X-Tier")

    private func configuration(_ change: (inout Route) -> Void = { _ in }) -> Configuration {
        var configuration = Configuration.oneRoute { route in
            route.clientTier = Self.header
            var gold = Route.Tier(policy: route.policy, streams: route.streams)
            gold.policy.defaultBuffer = 7
            gold.streams.perClient = 0
            route.tiers = ["gold": gold, "tin": Route.Tier(policy: route.policy, streams: route.streams)]
            change(&route)
        }
        configuration.trustedProxies = [.loopback]
        return configuration
    }

    private func tier(_ fields: [(String, String)], peer: String = "127.0.0.1") throws -> ClientTier {
        let served = ServedConfiguration(configuration(), log: Logger(label: "test"))
        return served.routes[0].tier(
            of: try .of(.GET, "/", fields, peer: peer), key: ClientKey("ann"), by: served.clients)
    }

    @Test func aTrustedPeerNamesIt() throws {
        #expect(try tier([("x-tier", "gold")]) == .named("gold"))
        #expect(try tier([("X-Tier", "gold")], peer: "") == .named("gold"))
        #expect(try tier([]) == .none)
        #expect(try tier([("X-Tier", "lead")]) == .unknown)
        #expect(try tier([("X-Tier", "Gold")]) == .unknown)
        #expect(try tier([("X-Tier", "gold"), ("X-Tier", "gold")]) == .unknown)
        #expect(try tier([("X-Tier", "tin, gold")]) == .unknown)
    }

    @Test func noOtherPeerDoes() throws {
        #expect(try tier([("X-Tier", "gold")], peer: "192.0.2.1") == .none)
        #expect(try tier([("X-Tier", "gold"), ("X-Forwarded-For", "127.0.0.1")], peer: "192.0.2.1") == .none)
    }

    @Test func itsTermsAreGrantedAndItsHeaderPassesOnlyFromATrustedPeer() throws {
        let bench = try PipelineBench(configuration { $0.tiers["gold"]?.streams.perClient = nil })
        _ = bench.send(try .of(.GET, "/", [("X-Tier", "gold")], peer: "127.0.0.1"))
        let gold = try #require(bench.destination.started)
        #expect(gold.tier == "gold" && gold.terms.buffer == 7 && gold.request.head.headers["x-tier"] == ["gold"])
        _ = bench.send(try .of(.GET, "/", [("X-Tier", "gold"), ("X-Other", "1")]))
        let claimed = try #require(bench.destination.started)
        #expect(claimed.tier == nil && claimed.terms.buffer == 100)
        #expect(claimed.request.head.headers["x-tier"].isEmpty && claimed.request.head.headers["x-other"] == ["1"])
    }

    @Test func aRefusalIsLoggedWithItsTier() throws {
        let bench = try PipelineBench(configuration())
        let answer = try bench.expectRefusal(
            of: .of(.GET, "/", [("X-Tier", "gold")], peer: "127.0.0.1"), 429, .tooManyStreams)
        #expect(!answer.text.contains("gold"))
        #expect(try bench.test.logLines().first?["tier"] as? String == "gold")
    }

    @Test func anUnknownTierIsCountedAndHasTheRoutesLimits() throws {
        let bench = try PipelineBench(configuration())
        _ = bench.send(try .of(.GET, "/", [("X-Tier", "lead")], peer: "127.0.0.1"))
        #expect(try #require(bench.destination.started).tier == nil)
        #expect(bench.metrics.route("/").tally.unknownTiers == 1)
    }
}
