import Downstream
import Flow
import Observability

/// What one route counts on one event loop; written on that loop alone, so that a count is an addition.
final class RouteMetrics {
    var tally = RouteTally()
}

/// The metrics of one event loop; copied when somebody asks, and joined with the other loops' then.
final class LoopMetrics {
    private static let lagStep = 100 * LoopTimers.tick

    private(set) var routes: [String: RouteMetrics]
    private let timers: LoopTimers
    private lazy var timer = LoopTimer(target: self)
    private(set) var lag = Histogram(bounds: Histogram.lagBounds)
    private var window: HealthWindow

    /// - Parameters:
    ///   - names: Of the routes; two of one name are counted together.
    ///   - timers: Those of the loop.
    ///   - now: When it begins.
    init(routes names: [String], timers: LoopTimers, at now: Instant) {
        routes = Dictionary((names + [LoopFigures.unrouted]).map { ($0, RouteMetrics()) }) { first, _ in first }
        self.timers = timers
        window = HealthWindow(at: now)
    }

    /// Begins to watch how late the loop's timers come, until ``stop()``.
    func start(at now: Instant) {
        // On a whole tick: what the timers round up is no lag.
        timers.set(timer, at: Instant(nanoseconds: (now.nanoseconds / Self.lagStep + 1) * Self.lagStep))
    }

    func stop() { timers.cancel(timer) }

    /// The meter of a route of the configuration; `nil` names requests without one.
    func route(_ name: String?) -> RouteMetrics {
        let name = name ?? LoopFigures.unrouted
        if let meter = routes[name] { return meter }
        // Of a route that a reload has brought.
        let meter = RouteMetrics()
        routes[name] = meter
        return meter
    }

    /// Forgets the routes that are gone, once nothing of them is open: else reloads would add up.
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
