import Flow

/// An instant by which something must happen, with the timer that waits for it.
///
/// Most deadlines are moved long before they pass. So the timer is set only if the deadline is earlier than the timer: it may
/// fire before the deadline, and is then set again (``hasPassed(at:in:)``). Stored inline in its target.
struct Deadline {
    /// Created for the first deadline; one that was never set costs no allocation.
    private var timer: LoopTimer?
    private var instant = Instant.distantFuture

    /// Whether there is a deadline.
    var isSet: Bool { instant != .distantFuture }

    /// Sets or moves the deadline.
    ///
    /// - Parameters:
    ///   - instant: When it passes.
    ///   - target: The owner of this value; its `timerFired` calls ``hasPassed(at:in:)``.
    ///   - timers: Those of the loop.
    mutating func set(_ instant: Instant, for target: any TimerTarget, in timers: LoopTimers) {
        self.instant = instant
        if let timer {
            if !timer.isSet || instant < timer.due { timers.set(timer, at: instant) }
        } else {
            let timer = LoopTimer(target: target)
            self.timer = timer
            timers.set(timer, at: instant)
        }
    }

    /// Removes the deadline; the timer may still fire.
    mutating func clear() { instant = .distantFuture }

    /// Removes the deadline and the timer.
    mutating func cancel(in timers: LoopTimers) {
        clear()
        if let timer { timers.cancel(timer) }
    }

    /// Whether the deadline has passed; if it was moved, sets the timer again.
    ///
    /// - Parameters:
    ///   - now: When the timer fired.
    ///   - timers: Those of the loop.
    /// - Returns: Whether it has.
    func hasPassed(at now: Instant, in timers: LoopTimers) -> Bool {
        guard now < instant else { return true }
        if isSet, let timer { timers.set(timer, at: instant) }
        return false
    }
}
