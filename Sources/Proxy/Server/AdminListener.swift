import Downstream
import Flow
import NIOCore

/// The admin listener with its own outbox and timers; ``OperatorPages`` handle its requests.
final class AdminListener {
    let listener: Listener
    /// Strong: the pages' timers exist as long as the listener.
    private let timers: LoopTimers

    init(on loop: any EventLoop, shared: Shared) {
        let outbox = Outbox()
        timers = LoopTimers(on: loop, clock: Worker.now)
        timers.turnEnded = { outbox.turnEnded() }
        var limits = shared.served.connectionLimits
        limits.maximumStreams = nil
        listener = Listener(
            on: loop, limits: limits, outbox: outbox, timers: timers, clock: Worker.now, gate: nil,
            handler: shared.pages.makeHandler(
                of: OperatorInterface(shared), on: loop, outbox: outbox, timers: timers))
    }
}
