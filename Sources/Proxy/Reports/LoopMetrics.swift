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

    private(set) var routes: [String: RouteMetrics]
    private let timers: LoopTimers
    private lazy var timer = LoopTimer(target: self)
    private(set) var lag = Histogram(bounds: Histogram.lagBounds)
    private var window: HealthWindow

    /// - Parameters:
    ///   - names: The names of the routes; two of one name are counted together.
    ///   - timers: The timers of the loop.
    ///   - now: The time of the start.
    init(routes names: [String], timers: LoopTimers, at now: Instant) {
        routes = Dictionary((names + [LoopFigures.unrouted]).map { ($0, RouteMetrics()) }) { first, _ in first }
        self.timers = timers
        window = HealthWindow(at: now)
    }

    /// Measures the delay of the loop's timers, until ``stop()``.
    func start(at now: Instant) {
        // On a whole tick, so that the rounding of the timers does not count as lag.
        timers.set(timer, at: Instant(nanoseconds: (now.nanoseconds / Self.lagStep + 1) * Self.lagStep))
    }

    func stop() { timers.cancel(timer) }

    /// The metrics of a route; `nil` for requests without a route.
    func route(_ name: String?) -> RouteMetrics {
        let name = name ?? LoopFigures.unrouted
        if let meter = routes[name] { return meter }
        // A route that a reload has added.
        let meter = RouteMetrics()
        routes[name] = meter
        return meter
    }

    /// Removes the routes that a reload has removed, once none of their requests is open: otherwise they would accumulate.
    func keep(_ names: Set<String>) {
        routes = routes.filter { $0.key == LoopFigures.unrouted || names.contains($0.key) || $0.value.tally.active > 0 }
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
