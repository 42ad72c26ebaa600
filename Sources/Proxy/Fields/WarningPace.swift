import Flow
import NIOConcurrencyHelpers

/// Lets one warning through in a stretch of time, whichever loop it comes from; the others add nothing to it.
final class WarningPace: Sendable {
    private let interval: Duration
    private let next = NIOLockedValueBox(Instant.distantPast)

    init(every interval: Duration) { self.interval = interval }

    /// Whether the warning is to be given now; then the next one waits.
    func isDue(at now: Instant) -> Bool {
        next.withLockedValue { next in
            guard now >= next else { return false }
            next = now + interval
            return true
        }
    }
}
