import Downstream
import Flow
import Observability

/// The counts of one route on one event loop; written only on that loop, so that a count is a plain addition.
final class RouteMetrics {
    var tally = RouteTally()
}

/// The metrics of one event loop; copied on request, and added to those of the other loops.
final class LoopMetrics {
    private static let lagStep = 100 * LoopTimers.tick

    private(set) var routes = [LoopFigures.unrouted: RouteMetrics()]
    /// Of the configuration's routes by their index, so that a stream needs no look-up by name.
    private var configured: [(route: ProxyRoute, metrics: RouteMetrics)] = []
    private let timers: LoopTimers
    private lazy var timer = LoopTimer(target: self)
    private(set) var lag = Histogram(bounds: Histogram.lagBounds)
    private var window: HealthWindow

    /// - Parameters:
    ///   - routes: Those of the configuration; two of one name are counted together.
    ///   - timers: The timers of the loop.
    ///   - now: The time of the start.
    init(_ routes: [ProxyRoute], timers: LoopTimers, at now: Instant) {
        self.timers = timers
        window = HealthWindow(at: now)
        follow(routes)
    }

    /// Measures the delay of the loop's timers, until ``stop()``.
    func start(at now: Instant) {
        // On a whole tick, so that the rounding of the timers does not count as lag.
        timers.set(timer, at: Instant(nanoseconds: (now.nanoseconds / Self.lagStep + 1) * Self.lagStep))
    }

    func stop() { timers.cancel(timer) }

    /// The metrics of a route.
    func route(_ route: ProxyRoute) -> RouteMetrics {
        guard configured.indices.contains(route.index), configured[route.index].route === route else {
            // A route of an older configuration.
            return self.route(route.name)
        }
        return configured[route.index].metrics
    }

    /// The same by the route's name; `nil` for requests without a route.
    func route(_ name: String?) -> RouteMetrics {
        let name = name ?? LoopFigures.unrouted
        if let meter = routes[name] { return meter }
        let meter = RouteMetrics()
        routes[name] = meter
        return meter
    }

    /// Counts for the routes of another configuration.
    ///
    /// Those that it does not have are removed once none of their requests is open: otherwise they would accumulate.
    func follow(_ configuration: [ProxyRoute]) {
        let names = Set(configuration.map(\.name))
        routes = routes.filter { $0.key == LoopFigures.unrouted || names.contains($0.key) || $0.value.tally.active > 0 }
        configured = configuration.map { ($0, route($0.name)) }
    }

    func lastMinute(at now: Instant) -> HealthWindow.Change { window.change(to: totals, at: now) }

    private var totals: HealthWindow.Totals {
        routes.values.reduce(into: HealthWindow.Totals()) { totals, meter in
            totals.records += meter.tally.records
            totals.ends += meter.tally.outcomes.total
            totals.faults += meter.tally.faults
        }
    }
}

extension LoopMetrics: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        lag.observe(now - timer.due)
        window.passed(totals, at: now)
        start(at: now)
    }
}
