import Downstream
import Flow
import NIOCore

/// The admin listener with its own outbox and timers; ``OperatorPages`` handle its requests.
final class AdminListener {
    /// Its connections, and those of one address: within the descriptors that `max_connections` leaves
    /// (``DescriptorLimit``), and more than the followers of the live view with their probes.
    private static let (mostConnections, mostOfAddress) = (64, 32)

    let listener: Listener
    /// Strong: the pages' timers exist as long as the listener.
    private let timers: LoopTimers

    init(on loop: any EventLoop, shared: Shared) {
        let outbox = Outbox()
        timers = LoopTimers(on: loop, clock: Worker.now)
        timers.turnEnded = { outbox.turnEnded() }
        let gate = ConnectionCounter(
            maximum: Self.mostConnections, perAddress: Self.mostOfAddress, names: .admin, log: shared.processLog)
        listener = Listener(
            on: loop, limits: Self.limits(of: shared), outbox: outbox, timers: timers, clock: Worker.now, gate: gate,
            handler: shared.pages.makeHandler(
                of: OperatorInterface(shared), on: loop, outbox: outbox, timers: timers))
    }

    /// Closes its sockets and its connections.
    func stop() {
        listener.drain()
        listener.closeAll()
    }

    /// Applies the limits of a configuration that was reloaded.
    func reload(_ shared: Shared) { listener.limits = Self.limits(of: shared) }

    private static func limits(of shared: Shared) -> ConnectionLimits {
        var limits = shared.served.connectionLimits
        limits.maximumStreams = nil
        return limits
    }
}
