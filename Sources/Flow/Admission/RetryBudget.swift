/// The number of requests of a route that may be sent a second time: a fifth of all requests, and a few on a quiet
/// route.
///
/// Without it retries double the load on upstreams that fail because of their load. Envoy and Finagle begin with the
/// same fifth; `RetryBudgetTests` show its effect.
///
/// - Complexity: O(1).
package struct RetryBudget: Sendable {
    /// The retries that a request adds.
    private static let share = 0.2
    /// The retries that a second adds, for a route with few requests.
    private static let perSecond = 1.0
    /// The maximum of saved retries.
    package static let most = 10.0

    private var saved = Self.most
    private var filledAt: Instant?

    package init() {}

    /// A request arrived: adds its share.
    package mutating func requestCame(at now: Instant) {
        fill(until: now)
        saved = min(Self.most, saved + Self.share)
    }

    /// Takes one retry.
    ///
    /// - Returns: Whether there was one; if not, nothing has changed.
    package mutating func takeRetry(at now: Instant) -> Bool {
        fill(until: now)
        guard saved >= 1 else { return false }
        saved -= 1
        return true
    }

    private mutating func fill(until now: Instant) {
        let passed = filledAt.map { max(.zero, now - $0) } ?? .zero
        saved = min(Self.most, saved + passed.inSeconds * Self.perSecond)
        filledAt = max(filledAt ?? now, now)
    }
}
