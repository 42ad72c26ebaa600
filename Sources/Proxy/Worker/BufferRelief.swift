import Downstream
import Flow
import Logging

/// One loop's part of the ceiling over all queues (``BufferCeiling``): ends the largest streams while it is exceeded.
final class BufferRelief: TimerTarget {
    /// The ceiling is checked each time the streams have grown by that many bytes.
    private static let growthToCheck = 256 << 10

    private let shared: Shared
    private let gauge: BufferGauge.Cell
    private let streams: OpenStreams
    private let timers: LoopTimers
    private let clock: () -> Instant
    /// Bytes by which streams have grown since the last check.
    private var growth = 0
    private lazy var timer = LoopTimer(target: self)

    init(
        shared: Shared, gauge: BufferGauge.Cell, streams: OpenStreams, timers: LoopTimers,
        clock: @escaping () -> Instant
    ) {
        (self.shared, self.gauge, self.streams, self.timers, self.clock) = (shared, gauge, streams, timers, clock)
    }

    /// The bytes that a stream of this loop holds have changed by this number.
    func bufferChanged(by change: Int) {
        gauge.add(change)
        guard change > 0, shared.buffers.ceiling != nil else { return }
        growth += change
        guard growth >= Self.growthToCheck else { return }
        growth = 0
        // Later: the stream that grew is still handling its event.
        if !timer.isSet, shared.buffers.isExceeded { timers.set(timer, at: clock()) }
    }

    func stop() { timers.cancel(timer) }

    /// Ends the largest streams of this loop, until its part of the excess is free.
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        guard shared.buffers.isExceeded else { return }
        let open = Array(streams.all)
        let ending = shared.buffers.streamsToEnd(holding: open.map { ByteCount($0.account.countedBytes) }, of: gauge)
        guard !shared.isLimitsDryRun else {
            return shared.processLog.warning(
                "limits.max_buffer_bytes is exceeded, and not enforced", metadata: ["would_end": "\(ending.count)"])
        }
        for index in ending { open[index].end(.cancelled, problem: .unavailable(.proxyFull(retryAfter: .seconds(1)))) }
    }
}
