/// The states of a pull: one request to an upstream whose response many readers get.
///
///     starting ──headArrived──▶ live ──upstreamEnded──▶ ended
///         └── a head that must not be shared ─────────────▲
///
/// Without readers it lingers, in either state, until one joins or the time is over.
///
/// Invariants (`PullLifecycleTests`, `PullLifecycleModelTests`):
/// 1. A reader that joined is released, or gets the head and the end; none joins an ended pull.
/// 2. The pull ends once, and before its end is reported it is removed from the table: ``Action/end(_:)`` and
///    ``Action/release(_:)`` say so.
/// 3. Without readers it ends after the linger time.
package struct PullLifecycle: Sendable {
    /// The command that the shell executes after an event.
    package enum Action: Equatable, Sendable {
        case none
        /// Pass the head to all readers.
        case publishHead
        /// Call ``deadlinePassed(at:)`` then.
        case setTimer(Instant)
        /// Remove the pull from the table, cancel the upstream, and release all readers, each to a request of its own.
        case release(SharingRefusal)
        /// Remove the pull from the table, then report the upstream's end to all readers.
        case end
        /// Remove the pull from the table and cancel the upstream; it has no readers.
        case cancelUpstream
    }

    private enum State: Equatable { case starting, live, ended }

    private let linger: Duration
    private var state = State.starting
    package private(set) var readers = 0
    private var lingersUntil: Instant?

    /// A pull whose request is being sent.
    package init(linger: Duration) { self.linger = linger }

    package var isEnded: Bool { state == .ended }
    /// Whether the head has not arrived.
    package var isStarting: Bool { state == .starting }
    package var isLingering: Bool { lingersUntil != nil }

    /// A number of readers join.
    ///
    /// - Returns: Whether they may; if not, the pull has ended.
    package mutating func joined(_ count: Int = 1) -> Bool {
        guard state != .ended else { return false }
        readers += count
        lingersUntil = nil
        return true
    }

    /// A number of readers left.
    package mutating func left(_ count: Int = 1, at now: Instant) -> Action {
        // Readers that joined too late, on another loop, leave as well.
        guard state != .ended else { return .none }
        precondition(count <= readers, "more readers left than had joined")
        readers -= count
        guard readers == 0 else { return .none }
        let end = now + linger
        lingersUntil = end
        return .setTimer(end)
    }

    /// The head arrived; with why it must not be shared, if so.
    package mutating func headArrived(_ refusal: SharingRefusal?) -> Action {
        guard state == .starting else { return .none }
        if let refusal {
            finish()
            return .release(refusal)
        }
        state = .live
        return .publishHead
    }

    /// The upstream has ended, or failed.
    package mutating func upstreamEnded() -> Action {
        guard state != .ended else { return .none }
        finish()
        return .end
    }

    /// Whether the linger time is over, so that ``deadlinePassed(at:)`` ends the pull.
    package func isOverdue(at now: Instant) -> Bool {
        lingersUntil.map { state != .ended && now >= $0 } ?? false
    }

    /// The time of the last `setTimer` was reached, or may have been.
    package mutating func deadlinePassed(at now: Instant) -> Action {
        isOverdue(at: now) ? cancel() : .none
    }

    /// The process stops.
    package mutating func stop() -> Action { state == .ended ? .none : cancel() }

    private mutating func cancel() -> Action {
        finish()
        return .cancelUpstream
    }

    private mutating func finish() { (state, lingersUntil) = (.ended, nil) }
}
