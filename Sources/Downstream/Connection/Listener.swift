package import Flow
package import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// What a listener allows its connections.
package struct ConnectionLimits: Equatable, Sendable {
    package var maximumHeaderBytes: ByteCount
    /// From the first byte of a request, or from the connection's begin, to the end of the head.
    package var headerTime: Duration
    /// From one response to the next request.
    package var keepaliveTime: Duration
    /// Streams at a time on a connection of HTTP/2; `nil` where HTTP/2 is not spoken.
    package var maximumStreams: Int?

    package init(
        maximumHeaderBytes: ByteCount = .kibibytes(32), headerTime: Duration = .seconds(10),
        keepaliveTime: Duration = .seconds(75), maximumStreams: Int? = nil
    ) {
        self.maximumHeaderBytes = maximumHeaderBytes
        self.headerTime = headerTime
        self.keepaliveTime = keepaliveTime
        self.maximumStreams = maximumStreams
    }
}

/// Says whether another connection may be accepted; shared by all loops.
package protocol ConnectionGate: AnyObject, Sendable {
    /// Counts a connection from this address, or refuses it; each `true` is answered by one `left`.
    func enter(_ peer: String) -> Bool
    func left(_ peer: String)
}

/// What a listener has to end, whatever it speaks.
protocol ClientConnection: AnyObject {
    /// No further requests: closes as soon as none is being answered.
    func drain()

    /// Closes at once.
    func cut()
}

/// Who is at the other end of a connection, and how it is reached.
struct ConnectionPeer {
    /// Without its port; empty for a unix socket.
    let address: String
    /// What is between the connection and its socket; `nil` without TLS.
    let cipher: TLSOutboundTap?
    /// The hash of the certificate that the client showed; `nil` where it showed none.
    var certificate: String?
}

/// The listening sockets of one event loop and the connections that came through them.
///
/// Each loop has its own listener on the same port (`SO_REUSEPORT`): the kernel spreads the connections, and a stream
/// lives and dies on one loop.
package final class Listener {
    package let eventLoop: any EventLoop
    /// Of connections that come, and of requests that begin, from now on.
    package var limits: ConnectionLimits
    let outbox: Outbox
    let timers: LoopTimers
    let clock: () -> Instant
    /// Strong: connections own the listener, and may have requests to hand over as long as they live.
    let handler: any RequestHandler
    /// What a request without a body has instead; one for all.
    let emptyBody = RequestBody()
    /// Memory of the connections that speak HTTP/2.
    let http2 = HTTP2Buffers()
    private let gate: (any ConnectionGate)?
    /// `nil` where connections come without TLS.
    private let tls: ServerTLS?
    private(set) var isDraining = false
    private var channels: [any Channel] = []
    private var connections: [ObjectIdentifier: any ClientConnection] = [:]

    /// - Parameters:
    ///   - eventLoop: The loop that it lives on; every call is on it.
    ///   - limits: What each connection is allowed.
    ///   - outbox: The loop's outbox.
    ///   - timers: The loop's timers.
    ///   - clock: Reads the monotonic clock.
    ///   - gate: Bounds the connections; `nil` for no bound.
    ///   - tls: What connections are secured with; `nil` for nothing.
    ///   - handler: Answers the requests; the listener and its connections own it.
    package init(
        on eventLoop: any EventLoop, limits: ConnectionLimits, outbox: Outbox, timers: LoopTimers,
        clock: @escaping () -> Instant, gate: (any ConnectionGate)?, tls: ServerTLS? = nil,
        handler: any RequestHandler
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.outbox = outbox
        self.timers = timers
        self.clock = clock
        self.gate = gate
        self.tls = tls
        self.handler = handler
    }

    package var connectionCount: Int { connections.count }

    /// Which other sockets may listen at the same address (`SO_REUSEPORT`, socket(7)).
    package enum AddressSharing: Sendable {
        /// None: an address in use is an error.
        case exclusive
        /// None while it binds and listens; from then on those that bind with ``shared``, as other loops of this process do.
        ///
        /// The kernel decides which of two processes gets the address: without the option two sockets cannot both listen. It
        /// reads the option of both sockets when the later one binds (`inet_csk_bind_conflict`), and takes an earlier one that
        /// listens already into the group then (`reuseport_add_sock`).
        case exclusiveAtFirst
        /// Those that have the option as well, of any process of the same user.
        case shared
    }

    /// Binds one address and listens there.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - sharing: Which sockets may be there; of no meaning to a unix socket.
    ///   - spread: Whose the connections are, in turn; `nil` for this listener's alone.
    /// - Returns: The address, with the real port where 0 was asked.
    package func bind(
        _ address: SocketAddress, sharing: AddressSharing = .exclusive, spread: Spread? = nil
    ) -> EventLoopFuture<SocketAddress?> {
        let isUnix = address.protocol == .unix
        let bootstrap = bootstrap(isUnix: isUnix, isShared: sharing == .shared, spread: spread)
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
    ///   - spread: As for ``bind(_:spread:)``.
    /// - Returns: Its address.
    package func adopt(_ socket: CInt, isUnix: Bool, spread: Spread? = nil) -> EventLoopFuture<SocketAddress?> {
        opened(bootstrap(isUnix: isUnix, isShared: false, spread: spread).withBoundSocket(socket))
    }

    private func opened(_ channel: EventLoopFuture<any Channel>) -> EventLoopFuture<SocketAddress?> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return channel.map { channel in
            bound.value.channels.append(channel)
            return channel.localAddress
        }
    }

    private func bootstrap(isUnix: Bool, isShared: Bool, spread: Spread?) -> ServerBootstrap {
        let own = NIOLoopBound(self, eventLoop: eventLoop)
        var bootstrap = ServerBootstrap(group: eventLoop, childGroup: spread?.group ?? eventLoop)
            .serverChannelOption(.backlog, value: 65535)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try (spread?.listener(on: channel.eventLoop) ?? own).value.configure(channel)
                }
            }
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
            // Each connection keeps one: most heads fit into the smallest, and an idle stream needs none.
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

    /// Stops accepting and closes what is idle; open responses go on and close their connections behind them.
    package func drain() {
        isDraining = true
        for channel in channels { channel.close(promise: nil) }
        channels.removeAll()
        for connection in connections.values { connection.drain() }
    }

    /// Closes every connection at once.
    package func closeAll() {
        for connection in connections.values { connection.cut() }
    }

    func opened(_ connection: any ClientConnection) { connections[ObjectIdentifier(connection)] = connection }

    func closed(_ connection: any ClientConnection) { connections[ObjectIdentifier(connection)] = nil }

    /// Builds the pipeline of an accepted connection.
    func configure(_ channel: any Channel) throws {
        let peer = channel.remoteAddress?.ipAddress ?? ""
        if let gate {
            guard gate.enter(peer) else { throw TooManyConnections() }
            channel.closeFuture.whenComplete { _ in gate.left(peer) }
        }
        let cipher = tls.map { _ in TLSOutboundTap() }
        let connection = ConnectionHandler(listener: self, peer: ConnectionPeer(address: peer, cipher: cipher))
        let pipeline = channel.pipeline.syncOperations
        if let tls, let cipher { try pipeline.addHandlers(cipher, tls.makeHandler()) }
        try pipeline.addHandlers(connection.wire, connection)
    }
}

extension Listener {
    /// The listeners of all event loops, where one of them accepts for all.
    ///
    /// Each connection is moved to the loop that it is for, which costs it some microseconds; sockets of their own, over
    /// which the kernel spreads connections, cost nothing, but not everything can have those.
    package struct Spread: Sendable {
        let group: any EventLoopGroup
        private let listeners: [(eventLoop: any EventLoop, listener: NIOLoopBound<Listener>)]

        /// - Parameters:
        ///   - group: The loops.
        ///   - listeners: One for each of them.
        package init(over group: any EventLoopGroup, _ listeners: [(any EventLoop, NIOLoopBound<Listener>)]) {
            self.group = group
            self.listeners = listeners
        }

        func listener(on eventLoop: any EventLoop) -> NIOLoopBound<Listener>? {
            listeners.first { $0.eventLoop === eventLoop }?.listener
        }
    }
}

/// The connection is closed as soon as it is accepted: there is nobody yet to answer, and an answer would cost more.
private struct TooManyConnections: Error {}
