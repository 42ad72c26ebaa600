package import Flow

/// The state of the breakers of one route, and of its upstreams by their health checks.
package struct BreakerFigures: Sendable {
    /// The name of the route; several routes may have the same.
    package var route = ""
    /// The breaker of each upstream; empty if the route has no breaker for them.
    package var upstreams: [CircuitBreaker.State] = []
    /// Whether these breakers only log what they would reject.
    package var isUpstreamDryRun = false
    /// If no upstream is available, the time until one may be tried again; `nil` if one is available.
    package var refusesFor: Duration?
    package var upstreamTrips = 0
    /// The upstreams that have a health check, and whether they are up.
    package var checked: [(upstream: String, isUp: Bool)] = []
    /// Clients whose breaker is open, and half-open; `nil` if clients have none.
    package var clients: (open: Int, halfOpen: Int)?
    /// Whether these breakers only log what they would reject.
    package var isClientDryRun = false
    package var clientTrips = 0
}

/// A breaker that is not closed.
package struct BreakerReport: Sendable {
    package var route: String
    package var kind: BreakerKind
    /// The upstream's address, or the client's name for operators.
    package var name: String
    package var state: CircuitBreaker.State
    /// The time until it is half-open.
    package var openFor: Duration
}

extension AdmissionGate {
    /// - Complexity: O(clients that failed recently), under the gate's lock.
    func breakerFigures(of route: String, at now: Instant) -> BreakerFigures {
        withState { state in
            let upstreams = state.upstreams.statuses(at: now)
            return BreakerFigures(
                route: route, upstreams: upstreams.compactMap(\.state),
                isUpstreamDryRun: state.rules.upstreams.isBreakerDryRun,
                refusesFor: Self.refusal(of: upstreams, by: state.rules.upstreams),
                upstreamTrips: state.upstreams.trips,
                checked: upstreams.compactMap { one in one.isDown.map { (one.name, !$0) } },
                clients: state.clientBreakers?.openCounts(at: now),
                isClientDryRun: state.rules.isClientBreakerDryRun,
                clientTrips: state.clientBreakers?.trips ?? 0)
        }
    }

    private static func refusal(of upstreams: [UpstreamPool.Status], by rules: UpstreamRules) -> Duration? {
        let waits = upstreams.map { one -> Duration? in
            if one.isDown == true { return rules.check?.interval }
            // A breaker in dry run rejects nothing.
            return one.state == .open && !rules.isBreakerDryRun ? one.openFor : nil
        }
        return waits.contains(nil) ? nil : waits.compactMap(\.self).min()
    }
}
