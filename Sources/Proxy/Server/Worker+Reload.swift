import Downstream
import Flow
import Upstream

extension Worker {
    /// The configuration has been replaced: what this loop has open follows it as far as it can.
    ///
    /// - Complexity: O(open streams of the loop), a few microseconds for each.
    func adopt(_ served: ServedConfiguration) {
        listener?.limits = served.connectionLimits
        meters.keep(Set(served.routes.map(\.name)))
        upstream.keep(served.routes.flatMap { $0.upstreams.map(\.origin) })
        if isChecking { checkUpstreams(of: served) }
        for driver in Array(openDrivers) where driver.asked.generation < served.generation {
            if let route = served.successor(of: driver.route) { driver.adopt(route) }
        }
        turnEnded()
    }
}

/// Streams that began under a configuration before the present one.
struct OlderStreams: Sendable {
    var count = 0
    /// The age of the oldest; zero where there is none.
    var oldest = Duration.zero

    mutating func add(began: Instant, at now: Instant) {
        count += 1
        oldest = max(oldest, now - began)
    }

    static func += (left: inout OlderStreams, right: OlderStreams) {
        left.count += right.count
        left.oldest = max(left.oldest, right.oldest)
    }
}
