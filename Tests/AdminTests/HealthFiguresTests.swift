import Flow
import Observability
import Testing

@testable import Admin
@testable import Proxy

@Suite struct HealthFiguresTests {
    private func route(
        _ name: String, _ upstreams: [CircuitBreaker.State] = [], refusesFor: Duration? = nil
    ) -> BreakerFigures {
        BreakerFigures(route: name, upstreams: upstreams, refusesFor: refusesFor)
    }

    private func figures(_ breakers: [BreakerFigures], _ replicas: ReplicasFigures? = nil) -> HealthReport.Figures {
        HealthReport.Figures(LoopFigures(), breakers, replicas, isDraining: false)
    }

    @Test func routesWithAnOpenBreakerAreNamed() {
        var dryRun = route("/dry", [.open])
        dryRun.isUpstreamDryRun = true
        #expect(figures([route("/a", [.closed, .open]), route("/b", [.halfOpen]), dryRun]).openUpstreams == ["/a"])
    }

    @Test func upstreamsThatFailTheirCheckAreNamedWithTheirRoute() {
        var checked = route("/a")
        checked.checked = [("http://one", true), ("http://two", false)]
        #expect(figures([checked]).downUpstreams == ["http://two of /a"])
    }

    @Test func theClientsOfAllRoutesCountButThoseOfADryRun() {
        var (one, two, dryRun) = (route("/a"), route("/b"), route("/dry"))
        (one.clients, two.clients, dryRun.clients) = ((2, 5), (3, 0), (7, 0))
        dryRun.isClientDryRun = true
        #expect(figures([one, two, dryRun]).openClients == 5)
    }

    @Test func limitsThatAreNotSharedDegradeIt() {
        var replicas = ReplicasFigures()
        #expect(figures([], replicas).hasLostReplicas)
        replicas.isUp = true
        #expect(!figures([], replicas).hasLostReplicas && !figures([]).hasLostReplicas)
    }

    @Test func itIsUnhealthyOnlyIfNoRouteHasAnUpstream() {
        let (short, long) = (route("/a", refusesFor: .seconds(2)), route("/b", refusesFor: .seconds(9)))
        #expect(figures([short, long]).allUpstreamsOpenFor == .seconds(2))
        #expect(figures([short, route("/c")]).allUpstreamsOpenFor == nil)
        #expect(figures([]).allUpstreamsOpenFor == nil)
    }

    @Test func theStreamsOfAllRoutesCount() {
        var (one, other) = (RouteTally(), RouteTally())
        (one.active, other.active) = (2, 3)
        (one.running.records, other.running.records) = (10, 20)
        var loops = LoopFigures()
        loops.routes = ["/a": one, "/removed": other]
        let figures = HealthReport.Figures(loops, [route("/a")], nil, isDraining: true)
        #expect((figures.activeStreams, figures.running.records, figures.isDraining) == (5, 30, true))
    }
}
