import Flow
import Settings

/// Asks the upstreams of routes with a `health_check` how they are: on one event loop, on behalf of all.
final class UpstreamChecks {
    private let worker: Worker
    private var checks: [UpstreamCheck] = []

    init(worker: Worker) { self.worker = worker }

    /// From now on those of these routes are asked, and nobody else.
    ///
    /// A question that stands as it did goes on: or reloads that follow each other would put it off for ever.
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
