package import Flow
import HTTPText
package import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// The listening sockets of one event loop and the connections that came through them.
///
/// Each loop has its own listener on the same port (`SO_REUSEPORT`): the kernel spreads the connections, and a stream stays on
/// one loop.
package final class Listener {
    package let eventLoop: any EventLoop
    let services: ConnectionServices
    private let gate: (any ConnectionGate)?
    /// `nil` if connections have no TLS.
    private let tls: ServerTLS?
    private var channels: [any Channel] = []

    /// - Parameters:
    ///   - eventLoop: Its loop; every call is on it.
    ///   - limits: Those of each connection.
    ///   - outbox: The loop's outbox.
    ///   - timers: The loop's timers.
    ///   - clock: Reads the monotonic clock.
    ///   - gate: Bounds the connections; `nil` for no bound.
    ///   - tls: What connections are secured with; `nil` for no TLS.
    ///   - handler: Answers the requests; the listener and its connections own it.
    package init(
        on eventLoop: any EventLoop, limits: ConnectionLimits, outbox: Outbox, timers: LoopTimers,
        clock: @escaping () -> Instant, gate: (any ConnectionGate)?, tls: ServerTLS? = nil,
        handler: any RequestHandler
    ) {
        self.eventLoop = eventLoop
        let buffers = HTTP2Buffers()
        services = ConnectionServices(
            limits: limits, outbox: outbox, timers: timers, clock: clock, handler: handler
        ) { services, peer, channel in
            try HTTP2Connection.add(to: channel, services: services, buffers: buffers, peer: peer)
        }
        self.gate = gate
        self.tls = tls
    }

    /// Of connections that are accepted, and of requests that begin, from now on.
    package var limits: ConnectionLimits {
        get { services.limits }
        set { services.limits = newValue }
    }

    package var connectionCount: Int { services.connectionCount }

    /// How the connections of one address are served.
    package struct Mode: Sendable {
        /// Whether they have TLS, if the listener has.
        package let usesTLS: Bool
        /// The port of the `https:` URLs to which requests are redirected; `nil` if they are served.
        package let redirectPort: Int?

        package init(usesTLS: Bool = true, redirectPort: Int? = nil) {
            (self.usesTLS, self.redirectPort) = (usesTLS, redirectPort)
        }
    }

    /// Which other sockets may listen at the same address (`SO_REUSEPORT`, socket(7)).
    package enum AddressSharing: Sendable {
        /// None: an address in use is an error.
        case exclusive
        /// None while it binds and listens; from then on those that bind with ``shared``, as the other loops of this process do.
        ///
        /// The kernel decides which of two processes gets the address: without the option two sockets cannot both listen. It
        /// reads the option of both sockets when the later one binds (`inet_csk_bind_conflict`), and then adds an earlier one
        /// that listens already to the group (`reuseport_add_sock`).
        case exclusiveAtFirst
        /// Those that have the option as well, of any process of the same user.
        case shared
    }

    /// Binds one address and listens there.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - sharing: Which sockets may be there; ignored for a unix socket.
    ///   - spread: The listeners that get the connections in turn; `nil` for this one alone.
    ///   - mode: How its connections are served.
    /// - Returns: The address, with the actual port if port 0 was requested.
    package func bind(
        _ address: SocketAddress, sharing: AddressSharing = .exclusive, spread: Spread? = nil, mode: Mode = Mode()
    ) -> EventLoopFuture<SocketAddress?> {
        let isUnix = address.protocol == .unix
        let bootstrap = bootstrap(isUnix: isUnix, isShared: sharing == .shared, spread: spread, mode: mode)
        let channel = bootstrap.bind(to: address)
        guard sharing == .exclusiveAtFirst, !isUnix else { return opened(channel) }
        return opened(channel.flatMap { channel in channel.setOption(Self.reusePort, value: 1).map { channel } })
    }

    private static let reusePort = ChannelOptions.Types.SocketOption(
        level: .init(SOL_SOCKET), name: .init(SO_REUSEPORT))

    /// Takes over a socket that is bound already, and owns it from then on.
    ///
    /// - Parameters:
    ///   - socket: Its descriptor.
    ///   - isUnix: Whether it is a unix socket.
    ///   - spread: As for ``bind(_:sharing:spread:mode:)``.
    ///   - mode: How its connections are served.
    /// - Returns: Its address.
    package func adopt(
        _ socket: CInt, isUnix: Bool, spread: Spread? = nil, mode: Mode = Mode()
    ) -> EventLoopFuture<SocketAddress?> {
        opened(bootstrap(isUnix: isUnix, isShared: false, spread: spread, mode: mode).withBoundSocket(socket))
    }

    private func opened(_ channel: EventLoopFuture<any Channel>) -> EventLoopFuture<SocketAddress?> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return channel.map { channel in
            bound.value.channels.append(channel)
            return channel.localAddress
        }
    }

    private func bootstrap(isUnix: Bool, isShared: Bool, spread: Spread?, mode: Mode) -> ServerBootstrap {
        let own = NIOLoopBound(self, eventLoop: eventLoop)
        var bootstrap = ServerBootstrap(group: eventLoop, childGroup: spread?.group ?? eventLoop)
            .serverChannelOption(.backlog, value: 65535)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try (spread?.listener(on: channel.eventLoop) ?? own).value.configure(channel, mode)
                }
            }
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
            // Each connection has one: most heads fit into the smallest, and an idle stream needs none.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 16384))
        if !isUnix {
            bootstrap =
                bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(UnsentLimit.option, value: UnsentLimit.unmetered.bytes)
        }
        if isShared { bootstrap = bootstrap.serverChannelOption(Self.reusePort, value: 1) }
        return bootstrap
    }

    /// Stops accepting and closes what is idle; open responses continue, and their connections close after them.
    package func drain() {
        for channel in channels { channel.close(promise: nil) }
        channels.removeAll()
        services.drain()
    }

    /// Closes every connection at once.
    package func closeAll() { services.closeAll() }

    /// Builds the pipeline of an accepted connection.
    func configure(_ channel: any Channel, _ mode: Mode = Mode()) throws {
        let peer = channel.remoteAddress?.ipAddress ?? ""
        if let gate {
            guard gate.enter(peer) else { throw TooManyConnections() }
            channel.closeFuture.whenComplete { _ in gate.leave(peer) }
        }
        let tls = mode.usesTLS ? tls : nil, cipher = tls.map { _ in TLSOutboundTap() }
        let connection = ConnectionHandler(
            services: services,
            peer: ConnectionPeer(address: PeerAddress(peer), cipher: cipher, redirectPort: mode.redirectPort))
        let pipeline = channel.pipeline.syncOperations
        if let tls, let cipher { try pipeline.addHandlers(cipher, tls.makeHandler()) }
        try pipeline.addHandlers(connection.wire, connection)
    }
}

/// The connection is closed as soon as it is accepted: there is no request yet, and a response would cost more.
private struct TooManyConnections: Error {}
