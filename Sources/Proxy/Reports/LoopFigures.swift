package import Observability

/// A copy of the counts of an event loop; added over the loops.
package struct LoopFigures: Sendable {
    /// The name for requests without a route.
    package static let unrouted = ""

    /// By the name of the route, or ``unrouted``.
    package var routes: [String: RouteTally] = [:]
    package var lag = Histogram(bounds: Histogram.lagBounds)
    package var lastMinute = HealthWindow.Change()
    package var older = OlderStreams()

    package init() {}

    package static func += (left: inout LoopFigures, right: LoopFigures) {
        for (name, tally) in right.routes { left.routes[name, default: RouteTally()] += tally }
        left.lag += right.lag
        left.lastMinute += right.lastMinute
        left.older += right.older
    }
}
