import Downstream
import Flow

/// Ends the open streams of a loop one by one while the proxy stops, as a ``DrainSchedule`` says.
///
/// The oldest go first: of those that have run for long the most go on for ever, and what is young may well be done before
/// its turn comes. Requests whose answer is no stream, or has not come yet, have the whole grace time.
final class DrainingStreams: TimerTarget {
    private let worker: Worker
    private let schedule: DrainSchedule
    /// Those that were open at the beginning, the oldest last.
    private var waiting: [StreamDriver]
    private lazy var timer = LoopTimer(target: self)

    init(worker: Worker, over grace: Duration, at now: Instant) {
        self.worker = worker
        waiting = worker.openDrivers.filter(\.isStream).sorted { $0.began > $1.began }
        schedule = DrainSchedule(streams: waiting.count, grace: grace, at: now)
        wait()
    }

    func stop() {
        waiting = []
        worker.timers.cancel(timer)
    }

    func timerFired(_ timer: LoopTimer, at now: Instant) {
        waiting.removeAll(where: \.machine.isFinished)
        for _ in 0..<schedule.streamsToEnd(open: waiting.count, at: now) { waiting.removeLast().end(.drained) }
        wait()
    }

    private func wait() {
        worker.timers.set(timer, at: schedule.nextEnd(open: waiting.count) ?? .distantFuture)
    }
}

extension Worker {
    /// Stops accepting; streams go on for a part of the grace time each, but for those whose clients would have to come
    /// for them.
    func drain(over grace: Duration) {
        listener?.drain()
        for driver in openDrivers.filter({ $0.response == nil }) { driver.end(.drained) }
        drain = DrainingStreams(worker: self, over: grace, at: clock())
    }
}
