import Flow

/// The response of `GET /v1/health/streaming`, with its reasons.
package struct HealthReport: Equatable, Sendable {
    package enum Status: String, Sendable {
        case healthy, degraded
        /// Requests should go elsewhere for now: 503.
        case unhealthy
    }

    /// The figures from which it is computed.
    package struct Figures: Equatable, Sendable {
        package var activeStreams = 0
        package var lastMinute = HealthWindow.Change()
        /// The buffers of the open streams, used and granted.
        package var running = RouteTally.Running()
        package var isDraining = false
        /// Routes whose upstream's breaker is open.
        package var openUpstreams: [String] = []
        /// Upstreams that fail their health checks, and their routes.
        package var downUpstreams: [String] = []
        /// The time until the first upstream is probed, if none is available on any route.
        package var allUpstreamsOpenFor: Duration?
        /// Clients whose breaker is open.
        package var openClients = 0
        /// Whether limits over all replicas are enforced by this instance alone, because the store cannot be used.
        package var hasLostReplicas = false

        package init() {}

        /// The higher utilisation of both bounds.
        package var bufferShare: Double {
            max(
                Self.share(running.records, of: running.recordCapacity),
                Self.share(running.bytes, of: running.byteCapacity)
            )
        }

        private static func share(_ part: Int, of whole: Int) -> Double {
            whole > 0 ? Double(part) / Double(whole) : 0
        }
    }

    /// It is degraded above these; the share of faults counts only if enough requests have ended.
    package static let bufferMark = 0.8, faultMark = 0.05, fewestEnds = 20

    package let status: Status
    /// The failed checks, in words; empty if it is healthy.
    package let checks: [String]
    /// The `Retry-After` of the response; `nil` unless it is unhealthy.
    package let retryAfter: Int?
    private let figures: Figures

    package init(_ figures: Figures) {
        self.figures = figures
        var checks: [String] = []
        if figures.isDraining { checks.append("the proxy is draining") }
        for route in figures.openUpstreams { checks.append("the breaker of the upstream of \(route) is open") }
        for upstream in figures.downUpstreams {
            checks.append("the upstream \(upstream) does not pass its health checks")
        }
        switch figures.openClients {
        case 0: break
        case 1: checks.append("the breaker of 1 client is open")
        case let clients: checks.append("the breakers of \(clients) clients are open")
        }
        if figures.hasLostReplicas { checks.append("limits are not shared with the other replicas") }
        if figures.bufferShare > Self.bufferMark { checks.append("the buffers are more than 80% full") }
        let lastMinute = figures.lastMinute
        if lastMinute.totals.ends >= Self.fewestEnds, lastMinute.faultShare > Self.faultMark {
            checks.append("more than 5% of the requests of the last minute failed")
        }
        self.checks = checks
        if figures.isDraining || figures.allUpstreamsOpenFor != nil {
            status = .unhealthy
            retryAfter = (figures.allUpstreamsOpenFor ?? .zero).retryAfterSeconds
        } else {
            status = checks.isEmpty ? .healthy : .degraded
            retryAfter = nil
        }
    }

    /// One JSON object without a newline.
    package var json: String {
        var json = JSONText()
        json.add("status", status.rawValue)
        json.add("activeStreams", figures.activeStreams)
        json.add("averageThroughput", "\(Self.short(figures.lastMinute.recordsPerSecond))/second")
        json.add("bufferUtilization", "\(Int((figures.bufferShare * 100).rounded()))%")
        json.add("errorRate", "\(Self.tenths(figures.lastMinute.faultShare * 100))%")
        json.add("checks", checks)
        return String(decoding: json.closed(), as: UTF8.self)
    }

    /// A whole number; below ten with one decimal, unless that is zero.
    private static func short(_ value: Double) -> String {
        let tenths = tenths(value)
        return value >= 10 || tenths.hasSuffix(".0") ? String(Int(value.rounded())) : tenths
    }

    private static func tenths(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
