import Flow
import NIOConcurrencyHelpers

/// Permits one warning per interval, over all loops.
final class WarningPace: Sendable {
    private let interval: Duration
    private let next = NIOLockedValueBox(Instant.distantPast)

    init(every interval: Duration) { self.interval = interval }

    /// Whether the warning is to be logged now; then the next interval begins.
    func isDue(at now: Instant) -> Bool {
        next.withLockedValue { next in
            guard now >= next else { return false }
            next = now + interval
            return true
        }
    }
}
