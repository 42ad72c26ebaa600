import Downstream
import Flow
import NIOCore
import NIOEmbedded
import Observability
import Settings
import TestSupport
import Testing

@testable import Proxy

@Suite struct LoopMetricsTests {
    private let loop = EmbeddedEventLoop()
    private let timers: LoopTimers
    private let routes: [ProxyRoute]
    private let metrics: LoopMetrics

    init() {
        let loop = loop
        timers = LoopTimers(on: loop) { Instant(loop.now) }
        routes = Self.routes(["/a", "/a", "/b"])
        metrics = LoopMetrics(routes, timers: timers, at: Instant(loop.now))
    }

    /// The routes of one configuration.
    private static func routes(_ names: [String]) -> [ProxyRoute] {
        names.enumerated().map { index, name in
            var settings = Route(match: .init(path: "/"), upstreams: [UpstreamAddress(host: "origin", port: 9000)])
            settings.name = name
            return ProxyRoute(settings, index: index)
        }
    }

    @Test func routesOfOneNameAreCountedTogether() {
        metrics.route(routes[0]).tally.records = 3
        metrics.route(routes[1]).tally.records += 2
        #expect(metrics.route("/a").tally.records == 5 && metrics.route(routes[2]).tally.records == 0)
        #expect(Set(metrics.routes.keys) == ["/a", "/b", LoopFigures.unrouted])
        #expect(metrics.route(nil) === metrics.routes[LoopFigures.unrouted])
    }

    /// A reload brings and removes routes; a removed one is kept while one of its streams is open.
    @Test func removedRoutesAreForgottenOnceTheyHaveNoStream() {
        metrics.route("/new").tally.active = 1
        metrics.follow(Self.routes(["/a"]))
        #expect(Set(metrics.routes.keys) == ["/a", "/new", LoopFigures.unrouted])
        metrics.route("/new").tally.active = 0
        metrics.follow(Self.routes(["/a"]))
        #expect(Set(metrics.routes.keys) == ["/a", LoopFigures.unrouted])
    }

    /// A stream may still be of the configuration before, in which its route had another place.
    @Test func aRouteOfAnOlderConfigurationIsCountedUnderItsName() {
        metrics.route(routes[2]).tally.records = 3
        metrics.follow(Self.routes(["/b", "/c", "/d"]))
        metrics.route(routes[2]).tally.records += 2
        #expect(metrics.route("/b").tally.records == 5 && metrics.route("/d").tally.records == 0)
    }

    @Test func theLagOfTheTimersIsMeasuredUntilTheStop() {
        metrics.start(at: Instant(loop.now))
        loop.advanceTime(by: .seconds(1))
        let measured = metrics.lag.count
        #expect((9...10).contains(measured) && metrics.lag.sum == .zero)
        metrics.stop()
        loop.advanceTime(by: .seconds(1))
        #expect(metrics.lag.count == measured)
    }

    @Test func theLastMinuteIsTheSumOfAllRoutes() {
        metrics.route("/a").tally.records = 5
        metrics.route("/b").tally.records = 7
        let now = Instant(loop.now)
        metrics.route("/b").tally.ended(.slowConsumer, isStream: true, from: now, to: now)
        let change = metrics.lastMinute(at: Instant(loop.now) + .seconds(1))
        #expect(change.totals.records == 12 && change.totals.ends == 1)
    }
}
