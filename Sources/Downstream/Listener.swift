package import Flow
package import NIOCore
import NIOHTTP1
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

    package init(
        maximumHeaderBytes: ByteCount = .kibibytes(32), headerTime: Duration = .seconds(10),
        keepaliveTime: Duration = .seconds(75)
    ) {
        self.maximumHeaderBytes = maximumHeaderBytes
        self.headerTime = headerTime
        self.keepaliveTime = keepaliveTime
    }
}

/// Says whether another connection may be accepted; shared by all loops.
package protocol ConnectionGate: AnyObject, Sendable {
    /// Counts a connection from this address, or refuses it; each `true` is answered by one `left`.
    func enter(_ peer: String) -> Bool
    func left(_ peer: String)
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
    unowned let handler: any RequestHandler
    /// What a request without a body has instead; one for all.
    let emptyBody = RequestBody()
    private let gate: (any ConnectionGate)?
    /// `nil` where connections come without TLS.
    private let tls: ServerTLS?
    private(set) var isDraining = false
    private var channels: [any Channel] = []
    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]

    /// - Parameters:
    ///   - eventLoop: The loop that it lives on; every call is on it.
    ///   - limits: What each connection is allowed.
    ///   - outbox: The loop's outbox.
    ///   - timers: The loop's timers.
    ///   - clock: Reads the monotonic clock.
    ///   - gate: Bounds the connections; `nil` for no bound.
    ///   - tls: What connections are secured with; `nil` for nothing.
    ///   - handler: Answers the requests; must outlive the listener.
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

    /// Binds one address; the future tells the address, with the real port where 0 was asked.
    package func bind(_ address: SocketAddress) -> EventLoopFuture<SocketAddress?> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let isUnix = address.protocol == .unix
        var bootstrap = ServerBootstrap(group: eventLoop, childGroup: eventLoop)
            .serverChannelOption(.backlog, value: 65535)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.configure(channel) }
            }
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
            // Each connection keeps one: most heads fit into the smallest, and an idle stream needs none.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 16384))
        if !isUnix {
            bootstrap =
                bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(UnsentLimit.option, value: UnsentLimit.unmetered.bytes)
        }
        return bootstrap.bind(to: address).map { channel in
            bound.value.channels.append(channel)
            return channel.localAddress
        }
    }

    /// Stops accepting and closes what is idle; open responses go on and close their connections behind them.
    package func drain() {
        isDraining = true
        for channel in channels { channel.close(promise: nil) }
        channels.removeAll()
        for connection in connections.values where connection.isIdle { connection.close() }
    }

    /// Closes every connection at once.
    package func closeAll() {
        for connection in connections.values { connection.cut() }
    }

    func opened(_ connection: ConnectionHandler) { connections[ObjectIdentifier(connection)] = connection }

    func closed(_ connection: ConnectionHandler) { connections[ObjectIdentifier(connection)] = nil }

    /// Builds the pipeline of an accepted connection.
    func configure(_ channel: any Channel) throws {
        let peer = channel.remoteAddress?.ipAddress ?? ""
        if let gate {
            guard gate.enter(peer) else { throw TooManyConnections() }
            channel.closeFuture.whenComplete { _ in gate.left(peer) }
        }
        let cipher = tls.map { _ in CipherEnd() }
        let connection = ConnectionHandler(listener: self, peer: peer, cipher: cipher)
        var encoding = HTTPResponseEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = self.limits.maximumHeaderBytes.bytes
        limits.maxHeaderListSize = self.limits.maximumHeaderBytes.bytes
        let pipeline = channel.pipeline.syncOperations
        if let tls, let cipher { try pipeline.addHandlers(cipher, tls.makeHandler()) }
        try pipeline.addHandler(connection.wire)
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: encoding, withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(connection)
    }
}

/// The connection is closed as soon as it is accepted: there is nobody yet to answer, and an answer would cost more.
private struct TooManyConnections: Error {}
