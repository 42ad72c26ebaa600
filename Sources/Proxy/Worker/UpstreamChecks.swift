import Flow
import Settings

/// Sends the health checks of all routes with a `health_check`: on one event loop, for all.
final class UpstreamChecks {
    private let worker: Worker
    private var checks: [UpstreamCheck] = []

    init(worker: Worker) { self.worker = worker }

    /// Checks the upstreams of these routes from now on, and no others.
    ///
    /// An unchanged check continues: otherwise frequent reloads would postpone it for ever.
    func follow(_ routes: [ProxyRoute]) {
        var left = checks
        checks = []
        for route in routes {
            guard let settings = route.settings.healthCheck else { continue }
            for upstream in route.upstreams {
                if let known = left.firstIndex(where: { $0.asks(upstream, settings, of: route) }) {
                    checks.append(left.remove(at: known))
                } else {
                    checks.append(UpstreamCheck(upstream, settings, of: route, on: worker))
                }
            }
        }
        for check in left { check.stop() }
    }

    func stop() { follow([]) }
}
