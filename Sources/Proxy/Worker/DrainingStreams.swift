import Downstream
import Flow

/// Ends the open streams of a loop one by one while the proxy stops, as a ``DrainSchedule`` says.
///
/// The oldest go first: of those that have run for long the most go on for ever, and what is young may well be done before
/// its turn comes. Requests whose answer is no stream, or has not come yet, have the whole grace time.
final class DrainingStreams: TimerTarget {
    private let timers: LoopTimers
    private let schedule: DrainSchedule
    /// Those that were open at the beginning, the oldest last.
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
