import NIOCore
import NIOPosix
import NIOSSL

/// One attempt to get a connection that is ready for use: the server's address, a socket, TLS, and the handshake.
///
/// Confined to its event loop; ends with one call of `done`, within the connect timeout for each address that is tried.
final class ConnectionAttempt {
    typealias Done = (Result<Connection, ConnectFailure>) -> Void

    private let settings: ClientSettings
    private let purpose: Handshake
    private let loop: any EventLoop
    private var done: Done?
    /// The connection that is being opened, to a Sentinel or to the server.
    private var connection: Connection?

    /// - Parameters:
    ///   - settings: The servers and the credentials.
    ///   - purpose: What follows authentication and the choice of the database.
    ///   - loop: The loop of the connection; every call is on it.
    ///   - done: Gets the connection, or the last reason why there is none; not called after ``cancel()``.
    init(_ settings: ClientSettings, for purpose: Handshake, on loop: any EventLoop, _ done: @escaping Done) {
        (self.settings, self.purpose, self.loop, self.done) = (settings, purpose, loop, done)
    }

    func start() {
        switch settings.servers {
        case .server(let address): connect(to: address, isNamedBySentinel: false)
        case .sentinels(let addresses, let master): ask(addresses[...], for: master, last: .unknownMaster(master))
        }
    }

    func cancel() {
        done = nil
        connection?.close(.closed)
    }

    private func finish(_ result: Result<Connection, ConnectFailure>) {
        let done = done
        (self.done, connection) = (nil, nil)
        done?(result)
    }

    // MARK: Sentinels

    /// Asks each Sentinel in turn; fails with the reason of the last one if none knows the master.
    private func ask(_ sentinels: ArraySlice<ServerAddress>, for master: String, last: ConnectFailure) {
        guard done != nil else { return }
        guard let sentinel = sentinels.first else { return finish(.failure(last)) }
        var handshake = Handshake()
        handshake.authenticate(settings.sentinelCredentials)
        open(sentinel, handshake) { attempt, result in
            switch result {
            case .failure(let failure): attempt.ask(sentinels.dropFirst(), for: master, last: failure)
            case .success(let connection):
                attempt.requestMaster(master, from: connection, others: sentinels.dropFirst())
            }
        }
    }

    private func requestMaster(_ master: String, from sentinel: Connection, others: ArraySlice<ServerAddress>) {
        connection = sentinel
        sentinel.send(
            Command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master), within: settings.connectTimeout
        ) { result in
            sentinel.close(.closed)
            guard case .success(.array(let items)) = result, items.count == 2, let host = items[0].text,
                let port = items[1].text.flatMap({ UInt16($0) }), port > 0, !host.isEmpty
            else { return self.ask(others, for: master, last: .unknownMaster(master)) }
            self.connect(to: .host(host, port: Int(port)), isNamedBySentinel: true)
        }
    }

    // MARK: The server

    private func connect(to address: ServerAddress, isNamedBySentinel: Bool) {
        guard done != nil else { return }
        var handshake = Handshake()
        handshake.authenticate(settings.credentials)
        handshake.select(settings.database)
        if isNamedBySentinel { handshake.requireMaster() }
        open(address, handshake.followed(by: purpose)) { attempt, result in attempt.finish(result) }
    }

    /// Opens a connection and completes the handshake, within the connect timeout.
    private func open(
        _ address: ServerAddress, _ handshake: Handshake,
        _ opened: @escaping (ConnectionAttempt, Result<Connection, ConnectFailure>) -> Void
    ) {
        let connection = Connection(replyTimeout: settings.replyTimeout, maximumInFlight: settings.maximumInFlight)
        self.connection = connection
        let timer = loop.assumeIsolated().scheduleTask(in: settings.connectTimeout) { connection.close(.timedOut) }
        // The one way in which an attempt fails: the connection ends, whatever the reason.
        connection.ended = { failure in
            timer.cancel()
            opened(self, .failure(failure))
        }
        channel(to: address).assumeIsolated().whenComplete { result in
            switch result {
            case .failure(let error): connection.close(.unreachable("\(error)"))
            case .success(let channel):
                // With several addresses of a name there are several channels, of which only this one is used.
                guard self.add(connection, to: channel, address) else { return channel.close(promise: nil) }
                self.run(handshake.steps[...], on: connection) {
                    timer.cancel()
                    connection.ended = nil
                    opened(self, .success(connection))
                }
            }
        }
    }

    private func channel(to address: ServerAddress) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        switch address {
        case .host(let host, let port): return bootstrap.connect(host: host, port: port)
        case .unix(let path): return bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    /// Whether the connection uses the channel: not if its time was over before.
    private func add(_ connection: Connection, to channel: any Channel, _ address: ServerAddress) -> Bool {
        guard !connection.hasEnded else { return false }
        do {
            if let tls = settings.tls {
                let handler = try NIOSSLClientHandler(context: tls, serverHostname: address.serverName)
                try channel.pipeline.syncOperations.addHandler(handler)
            }
            try channel.pipeline.syncOperations.addHandler(connection)
            return true
        } catch {
            connection.close(.unreachable("\(error)"))
            return false
        }
    }

    private func run(_ steps: ArraySlice<Handshake.Step>, on connection: Connection, _ ready: @escaping () -> Void) {
        guard let step = steps.first else { return ready() }
        connection.send(step.command, within: settings.connectTimeout) { result in
            switch result {
            case .success(let reply):
                if let failure = step.check(reply, connection) { return connection.close(failure) }
                self.run(steps.dropFirst(), on: connection, ready)
            case .failure(.refused(let error)): connection.close(.refused(error))
            // The connection ends, or has ended, for the reason that it reports itself.
            case .failure(.timedOut): connection.close(.timedOut)
            case .failure: connection.close(.closed)
            }
        }
    }
}

extension ServerAddress {
    /// The name that a certificate must have and that is sent as SNI; `nil` for an address, which SNI does not allow
    /// (RFC 6066, section 3), and which NIOSSL compares itself.
    var serverName: String? {
        guard case .host(let host, _) = self, (try? SocketAddress(ipAddress: host, port: 0)) == nil else { return nil }
        return host
    }
}
