import Flow
import NIOCore

// One clock for each connection: for a head, for the next request, for a client to take an end.

extension ConnectionHandler {
    func startClock(_ time: Duration) {
        deadline = services.clock() + time
        // Set only if it must fire earlier than it would: most deadlines are replaced long before they come.
        if !timer.isSet || deadline < timer.due { services.timers.set(timer, at: deadline) }
    }

    func stopClock() { deadline = .distantFuture }
}

extension ConnectionHandler: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        guard now >= deadline else {
            if deadline != .distantFuture { services.timers.set(timer, at: deadline) }
            return
        }
        if case .receiving = state, arrived == nil {
            wire.speakHTTP1()
            faultArrived(.headTooSlow)
        } else if case .responding = state {
            // A request is being answered: its own clocks count.
        } else {
            close()
        }
    }
}
