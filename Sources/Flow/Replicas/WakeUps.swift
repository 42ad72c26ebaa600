/// The wake-ups that a loop has been asked for.
///
/// A deadline that becomes an earlier one needs one more; one that becomes later needs none, and none is cancelled. So a
/// deadline that returns to where it was before a short one has its wake-up already, as that of the heartbeat after a write.
///
/// There are at most as many as the loop's clock has ticks until the latest of them, and usually two.
package struct WakeUps: Sendable {
    /// Each is earlier than the one before it.
    private var dues: [Instant] = []

    package init() {}

    package var count: Int { dues.count }

    /// Whether a wake-up at `due` has to be asked for, which this notes: there is none by then.
    package mutating func needs(_ due: Instant) -> Bool {
        if let next = dues.last, next <= due { return false }
        dues.append(due)
        return true
    }

    /// A wake-up has fired.
    package mutating func fired(at now: Instant) {
        while let next = dues.last, next <= now { dues.removeLast() }
    }
}
