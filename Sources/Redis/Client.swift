package import NIOCore

/// Receives the changes of a ``Client``, on its loop.
package protocol ClientDelegate: AnyObject {
    /// Commands can be sent.
    func clientConnected()
    /// There is no connection; called for each attempt that fails.
    func clientDisconnected(_ reason: ConnectFailure)
    /// The messages of the channel arrive from now on; those before may have been missed.
    func clientSubscribed()
    /// No messages arrive; called for each attempt that fails.
    func clientUnsubscribed()
    /// Another client, or this one, has published a message on the channel.
    func messageArrived(_ message: [UInt8])
}

/// A client of one Redis or Valkey server: a connection for commands, and one for the messages of a channel.
///
/// It reconnects without end, and never waits: without a connection a command fails at once. Confined to its event loop.
package final class Client {
    package weak var delegate: (any ClientDelegate)?
    private let settings: ClientSettings
    private let loop: any EventLoop
    private var commands: Link?
    private var subscription: Link?
    private var check: Scheduled<Void>?

    package init(_ settings: ClientSettings, on loop: any EventLoop) {
        (self.settings, self.loop) = (settings, loop)
    }

    /// Whether commands can be sent.
    package var isConnected: Bool { commands?.connection != nil }
    /// Commands without a reply.
    package var inFlight: Int { commands?.connection?.inFlight ?? 0 }

    /// Begins to connect; to be called once.
    package func start() {
        var loading = Handshake()
        loading.load(settings.scripts)
        loading.ping()
        let commands = Link(settings, for: loading, on: loop) { [weak self] result in
            switch result {
            case .success: self?.delegate?.clientConnected()
            case .failure(let failure): self?.delegate?.clientDisconnected(failure)
            }
        }
        self.commands = commands
        commands.start()
        if let channel = settings.channel { subscribe(to: channel) }
        scheduleCheck()
    }

    /// A connection whose peer has vanished without a FIN is noticed only by a missing reply.
    private func scheduleCheck() {
        let interval = settings.replyTimeout
        check = loop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            guard let self else { return }
            for case let connection? in [commands?.connection, subscription?.connection] where connection.inFlight == 0
            {
                connection.send(Command("PING"), within: interval) { _ in }
            }
            scheduleCheck()
        }
    }

    /// Closes the connections; commands without a reply fail.
    package func stop() {
        check?.cancel()
        commands?.stop()
        subscription?.stop()
        (commands, subscription) = (nil, nil)
    }

    private func subscribe(to channel: String) {
        var handshake = Handshake()
        handshake.subscribe(to: channel)
        let subscription = Link(settings, for: handshake, on: loop) { [weak self] result in
            guard case .success(let connection) = result else { return self?.delegate?.clientUnsubscribed() ?? () }
            connection.messageArrived = { self?.delegate?.messageArrived($0) }
            self?.delegate?.clientSubscribed()
        }
        self.subscription = subscription
        subscription.start()
    }

    /// Sends a command at the end of this turn of the loop.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - time: The longest time until `done` is called.
    ///   - done: Called once, perhaps before this returns.
    package func send(
        _ command: Command, within time: TimeAmount, _ done: @escaping (Result<Reply, CommandFailure>) -> Void
    ) {
        guard let connection = commands?.connection else { return done(.failure(.notConnected)) }
        connection.send(command, within: time, done)
    }

    /// Runs a script.
    ///
    /// If the server does not know it any more, after a restart or `SCRIPT FLUSH`, its text is sent once.
    ///
    /// - Parameters:
    ///   - call: The script and its operands.
    ///   - time: The longest time until `done` is called, with a repeated call.
    ///   - done: Called once, perhaps before this returns.
    package func run(
        _ call: ScriptCall, within time: TimeAmount, _ done: @escaping (Result<Reply, CommandFailure>) -> Void
    ) {
        guard let connection = commands?.connection else { return done(.failure(.notConnected)) }
        connection.run(call, within: time, done)
    }
}
