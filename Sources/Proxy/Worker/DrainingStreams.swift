import Downstream
import Flow

/// Ends the open streams of a loop one by one while the proxy stops, as a ``DrainSchedule`` says.
///
/// The oldest first: most streams that have run for long never end, and young ones may be complete before their turn.
/// Requests whose response is not a stream, or has not begun, have the whole grace time.
final class DrainingStreams: TimerTarget {
    private let timers: LoopTimers
    private let schedule: DrainSchedule
    /// The streams that were open at the beginning, the oldest last.
    private var waiting: [Stream]
    private lazy var timer = LoopTimer(target: self)

    init(streams: OpenStreams, timers: LoopTimers, over grace: Duration, at now: Instant) {
        self.timers = timers
        waiting = streams.all.filter(\.isStream).sorted { $0.began > $1.began }
        schedule = DrainSchedule(streams: waiting.count, grace: grace, at: now)
        wait()
    }

    func stop() {
        waiting = []
        timers.cancel(timer)
    }

    func timerFired(_ timer: LoopTimer, at now: Instant) {
        waiting.removeAll(where: \.machine.isFinished)
        for _ in 0..<schedule.streamsToEnd(open: waiting.count, at: now) { waiting.removeLast().end(.drained) }
        wait()
    }

    private func wait() {
        timers.set(timer, at: schedule.nextEnd(open: waiting.count) ?? .distantFuture)
    }
}
