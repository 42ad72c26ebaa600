/// How a drain spreads the ends of the streams that are open over its grace time.
///
///     open ┤██████
///          │      ██████
///          │            ██████           a stair: with n streams, one goes every grace / n,
///          │                  ██████     the last at the end of the grace
///          └────────────────────────▶ time
///
/// All clients come back at once where all streams end at once; spread, their next server gets them one by one. What ends
/// of itself meanwhile counts as a step of the stair, so nobody is ended sooner than it must be.
///
/// - Complexity: O(1) for each call.
package struct DrainSchedule: Equatable, Sendable {
    private let began: Instant
    private let grace: Duration
    private let streams: Int

    /// - Parameters:
    ///   - streams: Those that are open as the drain begins.
    ///   - grace: How long the last of them may go on.
    ///   - now: When it begins.
    package init(streams: Int, grace: Duration, at now: Instant) {
        began = now
        self.grace = grace
        self.streams = streams
    }

    /// How many streams have to end now, of those that are still open.
    package func streamsToEnd(open: Int, at now: Instant) -> Int { max(0, open - mostOpen(at: now)) }

    /// When the next one has to end if none ends of itself; `nil` where none is open.
    package func nextEnd(open: Int) -> Instant? {
        guard open > 0, streams > 0 else { return nil }
        // With `open` left, the stair's step down to `open - 1`.
        let steps = min(streams, max(0, streams - open + 1))
        let share = (Int128(grace.nanoseconds) * Int128(steps) + Int128(streams - 1)) / Int128(streams)
        return began + .nanoseconds(Int64(share))
    }

    private func mostOpen(at now: Instant) -> Int {
        let left = grace.nanoseconds - (now - began).nanoseconds
        guard left > 0, grace.nanoseconds > 0 else { return 0 }
        let share = Int128(streams) * Int128(left)
        return Int((share + Int128(grace.nanoseconds - 1)) / Int128(grace.nanoseconds))
    }
}
