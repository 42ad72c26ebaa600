import Flow

/// How the breakers of one route stand.
struct BreakerFigures: Sendable {
    /// Of each upstream; empty where the route has no breaker for them.
    var upstreams: [CircuitBreaker.State] = []
    /// The time until the first upstream admits somebody; zero unless all of them are open.
    var upstreamsOpenFor = Duration.zero
    var upstreamTrips = 0
    /// Clients whose breaker is open, and half-open; `nil` where they have none.
    var clients: (open: Int, halfOpen: Int)?
    var clientTrips = 0
}

extension AdmissionGate {
    /// - Complexity: O(clients that have failed lately), under the gate's lock.
    func breakerFigures(at now: Instant) -> BreakerFigures {
        withDoors { doors in
            let standing = doors.upstreams.standing(at: now)
            return BreakerFigures(
                upstreams: standing.compactMap(\.state), upstreamsOpenFor: standing.map(\.openFor).min() ?? .zero,
                upstreamTrips: doors.upstreams.trips, clients: doors.clientBreakers?.openCounts(at: now),
                clientTrips: doors.clientBreakers?.trips ?? 0)
        }
    }
}
