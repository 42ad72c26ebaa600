import Flow

/// How the breakers of one route stand.
struct BreakerFigures: Sendable {
    /// `nil` where the route has none.
    var upstream: CircuitBreaker.State?
    /// The time until it admits somebody; zero unless it is open.
    var upstreamOpenFor = Duration.zero
    var upstreamTrips = 0
    /// Clients whose breaker is open, and half-open; `nil` where they have none.
    var clients: (open: Int, halfOpen: Int)?
    var clientTrips = 0
}

extension AdmissionGate {
    /// - Complexity: O(clients that have failed lately), under the gate's lock.
    func breakerFigures(at now: Instant) -> BreakerFigures {
        withDoors { doors in
            BreakerFigures(
                upstream: doors.upstreamBreaker?.state(at: now),
                upstreamOpenFor: doors.upstreamBreaker?.timeUntilHalfOpen(at: now) ?? .zero,
                upstreamTrips: doors.upstreamBreaker?.trips ?? 0, clients: doors.clientBreakers?.openCounts(at: now),
                clientTrips: doors.clientBreakers?.trips ?? 0)
        }
    }
}
