/// The last pauses of one stream's upstream, each with its cause: for an operator who examines the stream.
///
/// It is called after each event that may have begun, ended or changed a pause, possibly twice with the same cause. A
/// pause whose cause changes is kept as two, the second beginning where the first ends. One change is ignored: a client
/// that takes a few bytes for a moment is still the cause, not its pace, and an entry for each such moment would push
/// out all others. For the same reason pauses of one cause with less than ``shortestGap`` between them are one: an
/// upstream that is resumed for two records fills the queue again at once.
///
/// - Complexity: O(1) for each call. It holds no memory before the second pause, and 16 bytes for each, at most
///   ``most``.
package struct PauseLog: Sendable {
    /// The cause of a full queue, for which the upstream had to pause; the raw value is used in metrics and the admin
    /// pages.
    package enum Cause: String, Sendable, CaseIterable {
        /// The client does not take the records that are due.
        case client
        /// The records are not due yet.
        case pace
        /// The client has paused its stream, or has no credit left.
        case feedback
        /// The stream has no client at the moment.
        case detached
    }

    /// One pause.
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

    /// The number of pauses that are kept.
    package static let most = 60
    /// Pauses with a shorter gap are joined.
    package static let shortestGap = Duration.milliseconds(1)

    private var kept: [Kept] = []
    /// The index of the oldest, after the maximum is reached.
    private var oldest = 0
    /// The pause that is running, or the last one, which may still continue; `nil` before the first.
    private var latest: (cause: Cause, began: Instant)?
    /// When the latest has ended; `nil` while it is running.
    private var ended: Instant?

    package init() {}

    /// The upstream is paused now for this cause, or runs if it is `nil`.
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

    /// The pauses, the oldest first; a running one is the last and has lasted until `now`.
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
        // Together with the latest they are ``most``.
        guard kept.count == Self.most - 1 else { return kept.append(pause) }
        kept[oldest] = pause
        oldest = (oldest + 1) % kept.count
    }
}
