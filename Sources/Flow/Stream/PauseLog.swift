/// The last pauses of one stream's upstream, each with who let the queue fill up: for an operator who looks at the stream.
///
/// It is told after whatever may have begun, ended or changed a pause, and may be told the same twice. A pause whose cause
/// changes is kept as two, the second beginning where the first ends. One change is none: a client that takes a little for
/// a moment is still the one that is waited for, not its pace, and to tell each such moment would push all else out. For the
/// same reason pauses of one cause with less than ``shortestGap`` between them are one: an upstream that is resumed for two
/// records fills their place at once.
///
/// - Complexity: O(1) for each call. It holds no memory before the second pause, and 16 bytes for each, at most ``most``.
package struct PauseLog: Sendable {
    /// What let the queue fill up, so that the upstream had to wait; the raw value is what metrics and operators are told.
    package enum Cause: String, Sendable, CaseIterable {
        /// It does not take what is due.
        case client
        /// The records are not due yet.
        case pace
        /// The client has asked for a pause, or has no credit left.
        case feedback
        /// Nobody reads at the moment.
        case detached
    }

    package struct Pause: Equatable, Sendable {
        package var cause: Cause
        package var began: Instant
        package var lasted: Duration
        package var isRunning: Bool

        package init(cause: Cause, began: Instant, lasted: Duration, isRunning: Bool = false) {
            (self.cause, self.began, self.lasted, self.isRunning) = (cause, began, lasted, isRunning)
        }
    }

    /// Half the size of ``Pause``; the duration is exact to a ten-millionth of itself.
    private struct Kept {
        var began: Instant
        var seconds: Float
        var cause: Cause
    }

    package static let most = 60
    package static let shortestGap = Duration.milliseconds(1)

    private var kept: [Kept] = []
    /// Where the oldest is, once there is no room for more.
    private var oldest = 0
    /// The pause that runs, or the last one, which may still turn out to go on; `nil` before the first.
    private var latest: (cause: Cause, began: Instant)?
    /// When the latest has ended; `nil` while it runs.
    private var ended: Instant?

    package init() {}

    /// The upstream waits now for this reason, or for none.
    package mutating func changed(to cause: Cause?, at now: Instant) {
        guard let cause else {
            if ended == nil { ended = now }
            return
        }
        if let latest {
            let isSame = latest.cause == cause || (latest.cause == .client && cause == .pace && ended == nil)
            guard !isSame || ended.map({ now - $0 >= Self.shortestGap }) ?? false else {
                ended = nil
                return
            }
            keep(latest.cause, from: latest.began, until: ended ?? now)
        }
        (latest, ended) = ((cause, now), nil)
    }

    /// The pauses, the oldest first; one that runs is the last and has lasted until `now`.
    package func pauses(at now: Instant) -> [Pause] {
        var pauses = (kept[oldest...] + kept[..<oldest]).map {
            Pause(cause: $0.cause, began: $0.began, lasted: .nanoseconds(Int64(Double($0.seconds) * 1e9)))
        }
        if let latest, latest.began != ended {
            pauses.append(
                Pause(
                    cause: latest.cause, began: latest.began, lasted: (ended ?? now) - latest.began,
                    isRunning: ended == nil))
        }
        return pauses
    }

    private mutating func keep(_ cause: Cause, from began: Instant, until end: Instant) {
        guard end > began else { return }
        let seconds = Float(Double(end.nanoseconds - began.nanoseconds) / 1e9)
        let pause = Kept(began: began, seconds: seconds, cause: cause)
        // With the latest they are ``most``.
        guard kept.count == Self.most - 1 else { return kept.append(pause) }
        kept[oldest] = pause
        oldest = (oldest + 1) % kept.count
    }
}
