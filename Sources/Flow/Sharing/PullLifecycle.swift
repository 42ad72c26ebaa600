/// The states of a pull: one request to an upstream whose response many readers get.
///
///     starting ──headArrived──▶ live ──upstreamEnded──▶ ended
///         └── a head that must not be shared ─────────────▲
///
/// Without readers it lingers, in either state, until one joins or the time is over. An upstream that does not send in time
/// is given up: before the head another one may be tried.
///
/// Invariants (`PullLifecycleTests`, `PullLifecycleModelTests`):
/// 1. A reader that joined is released, or gets the head and the end; none joins an ended pull.
/// 2. The pull ends once, and before its end is reported it is removed from the table: ``Action/end(_:)`` and
///    ``Action/release(_:)`` say so.
/// 3. Without readers it ends after the linger time.
/// 4. An upstream that is read and silent is given up after its deadline, however many readers come and leave.
package struct PullLifecycle: Sendable {
    /// The command that the shell executes after an event.
    package enum Action: Equatable, Sendable {
        case none
        /// Pass the head to all readers.
        case publishHead
        /// Remove the pull from the table, cancel the upstream, and release all readers, each to a request of its own.
        case release(SharingRefusal)
        /// Remove the pull from the table, then report the upstream's end to all readers.
        case end
        /// Remove the pull from the table and cancel the upstream; it has no readers.
        case cancelUpstream
        /// Cancel the upstream, which has not sent what was due; ``attemptBegan(at:)`` or ``upstreamEnded()`` follows.
        case giveUp(UpstreamTimeout)
    }

    private enum State: Equatable { case starting, live, ended }

    private let linger: Duration
    private var state = State.starting
    package private(set) var readers = 0
    private var lingersUntil: Instant?
    private var clock: PullClock

    /// A pull whose request is sent now.
    ///
    /// - Parameters:
    ///   - linger: The time without readers after which it ends.
    ///   - limits: The route's; those of the upstream's silence count.
    ///   - now: The time.
    package init(linger: Duration, limits: StreamMachine.Limits, at now: Instant) {
        self.linger = linger
        clock = PullClock(limits: limits, at: now)
    }

    package var isEnded: Bool { state == .ended }
    /// Whether the head has not arrived.
    package var isStarting: Bool { state == .starting }
    package var isLingering: Bool { lingersUntil != nil }
    /// Whether weir does not read the upstream, because readers have no room.
    package var isPaused: Bool { clock.isPaused }

    // MARK: Readers

    /// A number of readers join.
    ///
    /// - Returns: Whether they may; if not, the pull has ended.
    package mutating func joined(_ count: Int = 1) -> Bool {
        guard state != .ended else { return false }
        readers += count
        lingersUntil = nil
        return true
    }

    /// A reader was admitted on another loop; ``joined(_:)`` follows, and the pull does not end before.
    package mutating func readerEntered() { lingersUntil = nil }

    /// A number of readers left: read ``nextDeadline`` again.
    package mutating func left(_ count: Int = 1, at now: Instant) {
        // Readers that joined too late, on another loop, leave as well.
        guard state != .ended else { return }
        precondition(count <= readers, "more readers left than had joined")
        readers -= count
        if readers == 0 { lingersUntil = now + linger }
    }

    // MARK: The upstream

    /// The request is sent to another upstream, before a head: read ``nextDeadline`` again.
    package mutating func attemptBegan(at now: Instant) { clock.attemptBegan(at: now) }

    /// Bytes arrived, with a number of whole records: after the first record read ``nextDeadline`` again.
    package mutating func heard(_ records: Int, at now: Instant) { clock.heard(records, at: now) }

    /// weir stops or continues to read the upstream: read ``nextDeadline`` again.
    package mutating func setPaused(_ isPaused: Bool, at now: Instant) { clock.setPaused(isPaused, at: now) }

    /// The head arrived; with why it must not be shared, if so.
    package mutating func headArrived(_ refusal: SharingRefusal?, at now: Instant) -> Action {
        guard state == .starting else { return .none }
        clock.headArrived(at: now)
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

    // MARK: Time

    /// When to call ``deadlinePassed(at:)``; `distantFuture` if no clock runs.
    package var nextDeadline: Instant {
        state == .ended ? .distantFuture : min(lingersUntil ?? .distantFuture, clock.nextDeadline)
    }

    /// Whether the linger time is over, so that ``deadlinePassed(at:)`` ends the pull.
    package func isOverdue(at now: Instant) -> Bool {
        lingersUntil.map { state != .ended && now >= $0 } ?? false
    }

    /// The time has reached ``nextDeadline``, or may have.
    package mutating func deadlinePassed(at now: Instant) -> Action {
        guard state != .ended else { return .none }
        if isOverdue(at: now) { return cancel() }
        return clock.expired(at: now).map { .giveUp($0) } ?? .none
    }

    /// The process stops.
    package mutating func stop() -> Action { state == .ended ? .none : cancel() }

    private mutating func cancel() -> Action {
        finish()
        return .cancelUpstream
    }

    private mutating func finish() { (state, lingersUntil) = (.ended, nil) }
}
