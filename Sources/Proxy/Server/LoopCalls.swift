import NIOConcurrencyHelpers

/// The calls to the event loops from other threads, of which none begins once the loops are to be shut down.
///
/// NIO drops the task of a loop that has been shut down: its caller would wait for ever.
final class LoopCalls: Sendable {
    private struct State {
        var running = 0
        var isClosed = false
        /// Resumed when the last one has ended.
        var closer: CheckedContinuation<Void, Never>?
    }

    private let state = NIOLockedValueBox(State())

    /// Makes a call, unless the loops are to be shut down.
    ///
    /// - Returns: Its result; `nil` if it was not made.
    func make<Result>(_ call: () async -> Result) async -> Result? {
        let begins = state.withLockedValue { state in
            if !state.isClosed { state.running += 1 }
            return !state.isClosed
        }
        guard begins else { return nil }
        defer { ended() }
        return await call()
    }

    /// Returns when the calls that run have ended; none begins after this.
    ///
    /// Called once.
    func close() async {
        await withCheckedContinuation { closer in
            let isIdle = state.withLockedValue { state in
                state.isClosed = true
                if state.running > 0 { state.closer = closer }
                return state.running == 0
            }
            if isIdle { closer.resume() }
        }
    }

    private func ended() {
        let closer = state.withLockedValue { state in
            state.running -= 1
            return state.running == 0 ? state.closer.take() : nil
        }
        closer?.resume()
    }
}
