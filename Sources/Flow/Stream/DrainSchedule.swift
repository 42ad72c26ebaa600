/// The schedule by which a drain ends the open streams during its grace time.
///
///     open ┤██████
///          │      ██████
///          │            ██████           with n streams, one ends every grace / n,
///          │                  ██████     the last at the end of the grace
///          └────────────────────────▶ time
///
/// If all streams ended at once, all clients would reconnect at once; spread, they reach their next server one by one.
/// A stream that ends by itself counts as a step, so no stream is ended earlier than necessary.
///
/// - Complexity: O(1) for each call.
package struct DrainSchedule: Equatable, Sendable {
    private let began: Instant
    private let grace: Duration
    private let streams: Int

    /// Makes the schedule of a drain.
    ///
    /// - Parameters:
    ///   - streams: The streams that are open when the drain begins.
    ///   - grace: The time until the last of them must end.
    ///   - now: When it begins.
    package init(streams: Int, grace: Duration, at now: Instant) {
        began = now
        self.grace = grace
        self.streams = streams
    }

    /// The number of open streams that must end now.
    package func streamsToEnd(open: Int, at now: Instant) -> Int { max(0, open - mostOpen(at: now)) }

    /// When the next one must end if none ends by itself; `nil` if none is open.
    package func nextEnd(open: Int) -> Instant? {
        guard open > 0, streams > 0 else { return nil }
        // With `open` streams, the step down to `open - 1`.
        let steps = min(streams, max(0, streams - open + 1))
        let share = (Int128(grace.nanoseconds) * Int128(steps) + Int128(streams - 1)) / Int128(streams)
        return began + .nanoseconds(Int64(share))
    }

    private func mostOpen(at now: Instant) -> Int {
        let remaining = grace.nanoseconds - (now - began).nanoseconds
        guard remaining > 0, grace.nanoseconds > 0 else { return 0 }
        let share = Int128(streams) * Int128(remaining)
        return Int((share + Int128(grace.nanoseconds - 1)) / Int128(grace.nanoseconds))
    }
}
