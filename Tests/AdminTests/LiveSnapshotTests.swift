import Flow
import Foundation
import Observability
import Testing

@testable import Admin
@testable import Proxy

@Suite struct LiveSnapshotTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    private func json(
        _ figures: LoopFigures = LoopFigures(), routes: [String] = [], breakers: [BreakerReport] = [],
        upstreams: [UpstreamReport] = [], isDraining: Bool = false, takesActions: Bool = false,
        pulls: PullSummaries = PullSummaries()
    ) throws -> [String: Any] {
        var overview = LoopOverview()
        overview.figures = figures
        overview.pulls = pulls
        let snapshot = LiveSnapshot(
            overview: overview, routes: routes, breakers: breakers, upstreams: upstreams,
            health: HealthReport(.init(figures, [], nil, isDraining: isDraining)),
            process: ProcessReport(
                build: .init(version: "1.2.3"), reloads: ReloadStatus(), generation: 4, accessLogLinesLost: 0,
                processLogLinesLost: 0),
            isDraining: isDraining, takesActions: takesActions,
            sample: LiveSample(of: figures, at: start + .seconds(1)), earlier: LiveSample(at: start))
        let object = try JSONSerialization.jsonObject(with: Data(snapshot.json(at: Timestamp.now())))
        return try #require(object as? [String: Any])
    }

    @Test func theStateOfTheProcessIsShown() throws {
        let ready = try json(takesActions: true)
        #expect(ready["version"] as? String == "1.2.3")
        #expect(ready["state"] as? String == "ready")
        #expect(ready["actions"] as? Bool == true)
        #expect((ready["configuration"] as? [String: Any])?["generation"] as? Int == 4)
        let draining = try json(isDraining: true)
        #expect(draining["state"] as? String == "draining")
        #expect(draining["actions"] as? Bool == false)
    }

    @Test func routesAreShownOnceInTheOrderOfTheConfigurationAndRemovedOnesAfterThem() throws {
        var figures = LoopFigures()
        for name in ["/z", "/a", "/removed", "/gone", LoopFigures.unrouted] { figures.routes[name] = RouteTally() }
        let routes = try #require(try json(figures, routes: ["/z", "/a", "/z"])["routes"] as? [[String: Any]])
        #expect(routes.map { $0["route"] as? String } == ["/z", "/a", "/gone", "/removed"])
    }

    @Test func totalsIncludeRequestsWithoutARoute() throws {
        var (routed, unrouted) = (RouteTally(), RouteTally())
        routed.active = 2
        routed.records = 30
        routed.refused(.tooManyStreams, status: 429, bytes: .zero)
        unrouted.refused(.notFound, status: 404, bytes: .zero)
        var figures = LoopFigures()
        figures.routes = ["/a": routed, LoopFigures.unrouted: unrouted]
        let totals = try #require(try json(figures, routes: ["/a"])["totals"] as? [String: Any])
        #expect(totals["activeStreams"] as? Int == 2)
        #expect(totals["recordsPerSecond"] as? Double == 30)
        #expect(totals["refusals"] as? Int == 2)
    }

    @Test func sharedRequestsAreJoinedOverTheLoops() throws {
        var (own, other) = (LoopOverview(), LoopOverview())
        let (few, many) = (PullId(), PullId())
        for (id, path) in [(few, "/few"), (many, "/many")] {
            own.pulls.add(
                PullSummary(
                    route: "/", path: path, upstream: path == "/few" ? nil : "http://up", records: 3, bytes: 400,
                    isPaused: path == "/few", lasted: .seconds(2)), id)
        }
        own.pulls.add(readers: 1, lag: 0, of: few)
        own.pulls.add(readers: 1, lag: 4, of: many)
        other.pulls.add(readers: 2, lag: 7, of: many)
        // Of one that has ended meanwhile on its own loop.
        other.pulls.add(readers: 9, lag: 1, of: PullId())
        own += other
        let pulls = try #require(try json(pulls: own.pulls)["pulls"] as? [[String: Any]])
        #expect(pulls.map { $0["path"] as? String } == ["/many", "/few"])
        #expect(pulls.map { $0["readers"] as? Int } == [3, 1])
        #expect(pulls.map { $0["lag"] as? Int } == [7, 0])
        #expect(pulls.map { $0["paused"] as? Bool } == [false, true])
        #expect(pulls.map { $0["upstream"] as? String } == ["http://up", nil])
    }

    @Test func anUpstreamIsShownWithItsLastFailure() throws {
        var figures = UpstreamFigures()
        figures.headArrived(after: .milliseconds(20))
        _ = figures.failed(UpstreamFailure(.reset, "Connection reset by peer"), at: start)
        let upstream = UpstreamReport(
            route: "/a", name: "http://up", state: .ejected, openRequests: 2, requests: 5, figures: figures)
        let shown = try #require(try json(upstreams: [upstream])["upstreams"] as? [[String: Any]])
        #expect(shown.count == 1)
        #expect(shown[0]["state"] as? String == "ejected")
        #expect(shown[0]["firstByte"] as? Double == 0.02)
        let last = try #require(shown[0]["lastFailure"] as? [String: Any])
        #expect(last["cause"] as? String == "reset")
        #expect(last["ago"] as? Double == 1)
    }

    @Test func theReasonsOfABadHealthAreShown() throws {
        let draining = try json(isDraining: true)
        #expect(draining["health"] as? String == "unhealthy")
        #expect(draining["reasons"] as? [String] == ["the proxy is draining"])
    }

    @Test func aBreakerIsNamedUnderItsKind() throws {
        let breakers = [
            BreakerReport(route: "/a", kind: .client, name: "192.0.2.1", state: .open, openFor: .seconds(2)),
            BreakerReport(route: "/a", kind: .upstream, name: "http://up", state: .halfOpen, openFor: .zero),
        ]
        let shown = try #require(try json(breakers: breakers)["breakers"] as? [[String: Any]])
        #expect(shown.count == 2)
        #expect(shown[0]["client"] as? String == "192.0.2.1")
        #expect(shown[0]["retryAfter"] as? Double == 2)
        #expect(shown[1]["upstream"] as? String == "http://up")
        #expect(shown[1]["client"] == nil)
    }
}
