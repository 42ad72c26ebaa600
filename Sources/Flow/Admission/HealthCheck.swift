/// Whether an upstream is up, by questions that weir itself asks it.
///
/// A run of equal answers decides, so that neither one lost packet nor one lucky answer does. Before the first question
/// it is up.
package struct HealthCheck: Equatable, Sendable {
    package struct Policy: Equatable, Sendable {
        /// Good answers in a row that bring it back; at least 1.
        package let rise: Int
        /// Bad answers in a row that take it out; at least 1.
        package let fall: Int
        /// From one question to the next.
        package let interval: Duration

        package init(rise: Int, fall: Int, interval: Duration) {
            precondition(rise >= 1 && fall >= 1, "rise and fall are at least 1")
            (self.rise, self.fall, self.interval) = (rise, fall, interval)
        }
    }

    package private(set) var isDown = false
    /// Answers in a row that speak against the present state.
    private var streak = 0

    package init() {}

    /// - Returns: Whether it went down, or came back.
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
