import Flow
import Observability
import Testing

@testable import Admin
@testable import Proxy

@Suite struct MetricsPageTests {
    private func lines(_ figures: LoopFigures = LoopFigures(), breakers: [BreakerFigures] = []) -> [String] {
        let process = ProcessReport(
            build: .init(version: "1.2.3"), reloads: ReloadStatus(), generation: 4, accessLogLinesLost: 5,
            processLogLinesLost: 6, rejectedConnections: .init(maximum: 7, perAddress: 8), clientConnections: 9,
            certificates: [.init(file: "a.pem", time: 10)])
        var usage = ProcessUsage()
        (usage.cpuSeconds, usage.openDescriptors) = (1.5, 11)
        let page = MetricsPage(
            figures, breakers: breakers, process: process, usage: usage, to: MetricsText(format: .prometheus))
        return page.written().closed().split(separator: "\n").map(String.init)
    }

    private func count(_ lines: [String], _ prefix: String) -> Int { lines.count { $0.hasPrefix(prefix) } }

    @Test func theProcessIsReported() {
        let lines = lines()
        #expect(lines.contains("weir_config_generation 4"))
        #expect(lines.contains("weir_access_log_lines_lost_total 5"))
        #expect(lines.contains("weir_connections_rejected_total{limit=\"max_connections\"} 7"))
        #expect(lines.contains("weir_connections_rejected_total{limit=\"connections_per_address\"} 8"))
        #expect(lines.contains("weir_client_connections 9"))
        #expect(lines.contains("weir_certificate_expiry_timestamp_seconds{certificate=\"a.pem\"} 10"))
        #expect(lines.contains("process_cpu_seconds_total 1.5"))
        #expect(lines.contains("process_open_fds 11"))
        #expect(lines.contains { $0.hasPrefix("weir_build_info{version=\"1.2.3\"") })
    }

    @Test func routesOfOneNameAreOneAndTheirBreakersAreAdded() {
        var (one, other) = (BreakerFigures(route: "/a"), BreakerFigures(route: "/a"))
        (one.upstreams, other.upstreams) = ([.open, .closed], [.open])
        (one.clientTrips, other.clientTrips) = (2, 3)
        let lines = lines(breakers: [one, other])
        #expect(count(lines, "weir_active_streams{route=\"/a\"}") == 1)
        #expect(lines.contains("weir_breaker_state{route=\"/a\",kind=\"upstream\",state=\"open\"} 2"))
        #expect(lines.contains("weir_breaker_trips_total{route=\"/a\",kind=\"client\"} 5"))
    }

    @Test func aRouteThatAReloadHasRemovedIsShownWhileItCounts() {
        var figures = LoopFigures()
        figures.routes["/removed"] = RouteTally()
        figures.routes["/removed"]?.active = 1
        #expect(lines(figures).contains("weir_active_streams{route=\"/removed\"} 1"))
        #expect(count(lines(figures), "weir_breaker_trips_total{route=\"/removed\"") == 2)
    }

    @Test func requestsWithoutARouteCountAsRefusalsOnly() {
        var figures = LoopFigures()
        figures.routes[LoopFigures.unrouted] = RouteTally()
        let lines = lines(figures)
        #expect(count(lines, "weir_refusals_total{route=\"\"") > 0)
        #expect(count(lines, "weir_active_streams{") == 0)
    }
}
