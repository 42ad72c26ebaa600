/// The health of an upstream, from the health checks that weir sends.
///
/// A number of equal results in a row decides, so that neither one lost packet nor one lucky response does. It is up
/// before the first check.
package struct HealthCheck: Equatable, Sendable {
    /// The settings of the health checks of a route's upstreams.
    package struct Policy: Equatable, Sendable {
        /// Passed checks in a row that mark it as up; at least 1.
        package let rise: Int
        /// Failed checks in a row that mark it as down; at least 1.
        package let fall: Int
        /// The time between two checks.
        package let interval: Duration

        package init(rise: Int, fall: Int, interval: Duration) {
            precondition(rise >= 1 && fall >= 1, "rise and fall are at least 1")
            (self.rise, self.fall, self.interval) = (rise, fall, interval)
        }
    }

    /// Whether the checks failed `fall` times in a row and have not passed `rise` times since.
    package private(set) var isDown = false
    /// Results in a row that contradict the current state.
    private var streak = 0

    package init() {}

    /// A check was answered, or failed.
    ///
    /// - Returns: Whether the upstream went down or came up.
    package mutating func answered(isGood: Bool, by policy: Policy) -> Bool {
        guard isGood == isDown else {
            streak = 0
            return false
        }
        streak += 1
        guard streak >= (isDown ? policy.rise : policy.fall) else { return false }
        isDown.toggle()
        streak = 0
        return true
    }
}
