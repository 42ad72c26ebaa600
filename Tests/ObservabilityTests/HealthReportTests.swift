import Flow
import Observability
import Testing

@Suite struct HealthReportTests {
    private func figures(_ change: (inout HealthReport.Figures) -> Void = { _ in }) -> HealthReport.Figures {
        var figures = HealthReport.Figures()
        figures.activeStreams = 45
        figures.lastMinute = .init(totals: .init(records: 9000, ends: 1000, faults: 1), time: .seconds(60))
        figures.running.records = 23
        figures.running.recordCapacity = 100
        figures.running.bytes = 10
        figures.running.byteCapacity = 1000
        change(&figures)
        return figures
    }

    @Test func hasTheseMembersAndForms() {
        let report = HealthReport(figures())
        #expect(
            report.json
                == #"{"status":"healthy","activeStreams":45,"averageThroughput":"150/second","#
                + #""bufferUtilization":"23%","errorRate":"0.1%","checks":[]}"#)
        #expect(report.retryAfter == nil)
    }

    @Test(arguments: [(0, "0"), (90, "1.5"), (120, "2"), (630, "11")])
    func aSmallThroughputHasADecimal(records: Int, text: String) {
        let report = HealthReport(figures { $0.lastMinute.totals.records = records })
        #expect(report.json.contains("\"averageThroughput\":\"\(text)/second\""))
    }

    @Test func isDegradedWhileABreakerIsOpen() {
        let upstream = HealthReport(figures { $0.openUpstreams = ["/a"] })
        #expect(upstream.status == .degraded)
        #expect(upstream.checks == ["the breaker of the upstream of /a is open"])
        #expect(HealthReport(figures { $0.openClients = 2 }).checks == ["the breakers of 2 clients are open"])
        #expect(HealthReport(figures { $0.openClients = 1 }).checks == ["the breaker of 1 client is open"])
    }

    @Test func isDegradedWhileAnUpstreamIsDown() {
        let down = HealthReport(figures { $0.downUpstreams = ["http://a of /"] })
        #expect(down.status == .degraded)
        #expect(down.checks == ["the upstream http://a of / does not pass its health checks"])
    }

    @Test func isDegradedOverTheMarkOfTheFullerBound() {
        #expect(HealthReport(figures { $0.running.records = 80 }).status == .healthy)
        #expect(HealthReport(figures { $0.running.records = 81 }).status == .degraded)
        #expect(HealthReport(figures { $0.running.bytes = 801 }).status == .degraded)
    }

    @Test func isDegradedByFaultsOnceThereAreEnoughEnds() {
        #expect(HealthReport(figures { $0.lastMinute.totals = .init(ends: 19, faults: 19) }).status == .healthy)
        #expect(HealthReport(figures { $0.lastMinute.totals = .init(ends: 20, faults: 1) }).status == .healthy)
        #expect(HealthReport(figures { $0.lastMinute.totals = .init(ends: 20, faults: 2) }).status == .degraded)
    }

    @Test func isUnhealthyWhileDrainingAndWithoutAnyUpstream() {
        let draining = HealthReport(figures { $0.isDraining = true })
        #expect((draining.status, draining.retryAfter) == (.unhealthy, 1))
        let alone = HealthReport(
            figures {
                $0.openUpstreams = ["/"]
                $0.allUpstreamsOpenFor = .milliseconds(2500)
            })
        #expect((alone.status, alone.retryAfter) == (.unhealthy, 3))
    }
}
