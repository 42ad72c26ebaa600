import NIOCore

/// Keeps one connection open: after a failure it tries again, later each time, and at a random time.
///
/// Confined to its event loop; reports after each change.
final class Link {
    /// The present connection; `nil` while there is none that is ready.
    private(set) var connection: Connection?
    /// Called with a connection that is ready, and with the reason when it ended or an attempt failed.
    private let changed: (Result<Connection, ConnectFailure>) -> Void

    private let settings: ClientSettings
    private let purpose: Handshake
    private let loop: any EventLoop
    private var attempt: ConnectionAttempt?
    private var retry: Scheduled<Void>?
    private var pause: TimeAmount
    private var readyAt = NIODeadline.distantPast
    private var isStopped = false

    init(
        _ settings: ClientSettings, for purpose: Handshake, on loop: any EventLoop,
        changed: @escaping (Result<Connection, ConnectFailure>) -> Void
    ) {
        (self.settings, self.purpose, self.loop, self.changed) = (settings, purpose, loop, changed)
        pause = settings.retry.lowerBound
    }

    func start() {
        let attempt = ConnectionAttempt(settings, for: purpose, on: loop) { [weak self] result in
            self?.attemptEnded(result)
        }
        self.attempt = attempt
        attempt.start()
    }

    /// Closes the connection; nothing is reported any more.
    func stop() {
        isStopped = true
        retry?.cancel()
        attempt?.cancel()
        connection?.close(.closed)
        (attempt, connection) = (nil, nil)
    }

    private func attemptEnded(_ result: Result<Connection, ConnectFailure>) {
        attempt = nil
        switch result {
        case .failure(let failure): lost(failure)
        case .success(let connection):
            guard !isStopped else { return connection.close(.closed) }
            connection.ended = { [weak self] failure in self?.connectionEnded(failure) }
            self.connection = connection
            readyAt = loop.now
            changed(.success(connection))
        }
    }

    private func connectionEnded(_ failure: ConnectFailure) {
        connection = nil
        // A server that closes each new connection gets no more attempts than one that rejects them.
        if loop.now - readyAt > settings.retry.upperBound { pause = settings.retry.lowerBound }
        lost(failure)
    }

    private func lost(_ failure: ConnectFailure) {
        guard !isStopped else { return }
        let shortened = Int64(Double(pause.nanoseconds) * Double.random(in: 0.5...1))
        pause = min(pause + pause, settings.retry.upperBound)
        retry = loop.assumeIsolated().scheduleTask(in: .nanoseconds(shortened)) { [weak self] in self?.start() }
        changed(.failure(failure))
    }
}
