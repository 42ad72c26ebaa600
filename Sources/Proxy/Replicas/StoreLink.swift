import Flow
import NIOCore
import Redis

/// The connection to the store and the timer of its commands, on one event loop.
final class StoreLink: ClientDelegate {
    /// A timer in the past or at once would keep the loop busy if its commands could not be sent.
    private static let shortestPause = Duration.milliseconds(1)

    let client: Client
    private let loop: any EventLoop
    private weak var replicas: Replicas?
    private var timer: Scheduled<Void>?

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
        timer?.cancel()
        replicas = nil
        client.stop()
    }

    /// Fires at `due`, instead of when it was set to before.
    func setTimer(at due: Instant, now: Instant) {
        timer?.cancel()
        guard due < .distantFuture else { return }
        let pause = max(due - now, Self.shortestPause)
        timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(pause.nanoseconds)) { [weak self] in
            self?.replicas?.timerFired()
        }
    }
}
