/// How many requests of a route may be sent a second time: a fifth of those that come, and a few where few come.
///
/// Without it retries double the load on upstreams that fail because of their load. The fifth is what Envoy and Finagle
/// begin with; `RetryBudgetTests` show what it comes to.
///
/// - Complexity: O(1).
package struct RetryBudget: Sendable {
    /// What a request adds, in retries.
    private static let share = 0.2
    /// What a second adds, for a route with few requests.
    private static let perSecond = 1.0
    /// The most that is saved up.
    package static let most = 10.0

    private var saved = Self.most
    private var filledAt: Instant?

    package init() {}

    package mutating func requestCame(at now: Instant) {
        fill(until: now)
        saved = min(Self.most, saved + Self.share)
    }

    /// Takes one retry out.
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
