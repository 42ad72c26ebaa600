import Flow
import NIOConcurrencyHelpers

/// The ``UpstreamFigures`` of one upstream, for all event loops; the lock is taken once per attempt.
final class UpstreamHistory: Sendable {
    private let state = NIOLockedValueBox(UpstreamFigures())

    var figures: UpstreamFigures { state.withLockedValue { $0 } }

    func headArrived(after time: Duration) { state.withLockedValue { $0.headArrived(after: time) } }

    /// See ``UpstreamFigures/failed(_:at:)``.
    func failed(_ failure: UpstreamFailure, at now: Instant) -> Int? {
        state.withLockedValue { $0.failed(failure, at: now) }
    }
}
