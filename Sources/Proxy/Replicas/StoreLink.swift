import Flow
import NIOCore
import Redis

/// The connection to the store and the wake-ups for its commands, on one event loop.
final class StoreLink: ClientDelegate {
    /// A wake-up in the past or at once would keep the loop busy if its commands could not be sent.
    private static let shortestPause = Duration.milliseconds(1)

    let client: Client
    private let loop: any EventLoop
    /// Until ``stop()``: a weak reference would cost it a side table, and slow down every reference to it.
    private var replicas: Replicas?

    init(_ client: Client, on loop: any EventLoop) { (self.client, self.loop) = (client, loop) }

    func start(for replicas: Replicas) {
        self.replicas = replicas
        client.delegate = self
        client.start()
    }

    // The first probe waits for the first attempt to connect, which a process that starts must not report as a failure.

    func clientConnected() { replicas?.advance() }

    func clientDisconnected(_ reason: ConnectFailure) { replicas?.advance() }

    func clientSubscribed() { replicas?.hasSubscribed() }

    func clientUnsubscribed() { replicas?.hasUnsubscribed() }

    func messageArrived(_ message: [UInt8]) { replicas?.messageArrived(message) }

    func stop() {
        replicas = nil
        client.stop()
    }

    /// Not after ``stop()``.
    var isOpen: Bool { replicas != nil }

    /// Wakes the limits at `due`, once.
    func wakeUp(at due: Instant, now: Instant) {
        guard let replicas, due < .distantFuture else { return }
        let pause = max(due - now, Self.shortestPause)
        // Fails only on a loop that has been shut down, where no stream is left.
        _ = try? loop.scheduleCallback(in: .nanoseconds(pause.nanoseconds), handler: replicas)
    }
}

extension Replicas: NIOScheduledCallbackHandler {
    func handleScheduledCallback(eventLoop: some EventLoop) { wokeUp() }
}
