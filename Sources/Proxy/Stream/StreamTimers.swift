import Downstream
import Flow

/// The timers of one stream, by what they are for; each is made when it is first set.
struct StreamTimers {
    enum Purpose: Int, CaseIterable {
        /// The next queued record is due.
        case pace
        /// The earliest deadline of the `StreamMachine`.
        case deadline
        /// A probe of a breaker has proved good by then.
        case trial
        case heartbeat
    }

    private let loop: LoopTimers
    private var timers = InlineArray<4, LoopTimer?>(repeating: nil)
    private var hasEnded = false

    init(on loop: LoopTimers) { self.loop = loop }

    /// Sets or moves a timer; the target must own this value.
    mutating func set(_ purpose: Purpose, at due: Instant, for target: some TimerTarget) {
        if !hasEnded { loop.set(timer(purpose, for: target), at: due) }
    }

    /// Sets a timer unless it will fire by then anyway.
    mutating func advance(_ purpose: Purpose, to due: Instant, for target: some TimerTarget) {
        if !hasEnded { loop.advance(timer(purpose, for: target), to: due) }
    }

    private mutating func timer(_ purpose: Purpose, for target: some TimerTarget) -> LoopTimer {
        if let timer = timers[purpose.rawValue] { return timer }
        let timer = LoopTimer(target: target)
        timers[purpose.rawValue] = timer
        return timer
    }

    func purpose(of timer: LoopTimer) -> Purpose? { Purpose.allCases.first { timers[$0.rawValue] === timer } }

    /// Cancels all; none is set after this.
    ///
    /// A stream that has ended may be released on another loop, such as that of the store which it waited for.
    mutating func end() {
        hasEnded = true
        for index in timers.indices { if let timer = timers[index] { loop.cancel(timer) } }
    }
}
