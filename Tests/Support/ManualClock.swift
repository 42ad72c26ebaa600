package import Flow
import Synchronization

/// A clock that moves only when the test moves it; it starts at `Instant.seconds(0)`.
package final class ManualClock: Sendable {
    private let time: Mutex<Instant>

    package init(at start: Instant = .seconds(0)) { time = Mutex(start) }

    package var now: Instant { time.withLock { $0 } }

    /// Reads the clock; to be passed where a program takes its clock as a function.
    package var read: @Sendable () -> Instant { { self.now } }

    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}
