import Flow

/// How the breakers of one route stand, and its upstreams by their health checks.
struct BreakerFigures: Sendable {
    /// Of each upstream; empty where the route has no breaker for them.
    var upstreams: [CircuitBreaker.State] = []
    /// Where every upstream is spared, the time until one may be asked again; `nil` where one can be had.
    var refusesFor: Duration?
    var upstreamTrips = 0
    /// The upstreams that are asked how they are, and whether they are up.
    var checked: [(upstream: String, isUp: Bool)] = []
    /// Clients whose breaker is open, and half-open; `nil` where they have none.
    var clients: (open: Int, halfOpen: Int)?
    var clientTrips = 0
}

extension AdmissionGate {
    /// - Complexity: O(clients that have failed lately), under the gate's lock.
    func breakerFigures(at now: Instant) -> BreakerFigures {
        withState { gate in
            let standing = gate.upstreams.standing(at: now)
            return BreakerFigures(
                upstreams: standing.compactMap(\.state),
                refusesFor: Self.refusal(of: standing, by: gate.rules.upstreams),
                upstreamTrips: gate.upstreams.trips,
                checked: standing.compactMap { one in one.isDown.map { (one.name, !$0) } },
                clients: gate.clientBreakers?.openCounts(at: now),
                clientTrips: gate.clientBreakers?.trips ?? 0)
        }
    }

    private static func refusal(
        of standing: [UpstreamPool.Standing], by rules: UpstreamRules
    ) -> Duration? {
        let waits = standing.map { one -> Duration? in
            if one.isDown == true { return rules.check?.interval }
            // What only notes is not in anybody's way.
            return one.state == .open && !rules.isBreakerDryRun ? one.openFor : nil
        }
        return waits.contains(nil) ? nil : waits.compactMap(\.self).min()
    }
}
