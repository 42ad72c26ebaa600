import Downstream
import Flow
import NIOCore

/// The admin listener and who answers on it.
final class AdminListener {
    let listener: Listener
    private let handler: AdminHandler
    private let timers: LoopTimers

    init(on loop: any EventLoop, shared: Shared) {
        let outbox = Outbox()
        timers = LoopTimers(on: loop, clock: Worker.now)
        handler = AdminHandler(on: loop, shared: shared, outbox: outbox, timers: timers)
        timers.turnEnded = { outbox.turnEnded() }
        var limits = shared.served.connectionLimits
        limits.maximumStreams = nil
        listener = Listener(
            on: loop, limits: limits, outbox: outbox, timers: timers, clock: Worker.now, gate: nil,
            handler: handler)
    }
}
