import Flow
import NIOCore

/// What all connections of one listener use, and the list of those that are open.
///
/// Connections own it: they may pass requests on as long as they live.
final class ConnectionServices {
    /// Of connections that are accepted, and of requests that begin, from now on.
    var limits: ConnectionLimits
    let outbox: Outbox
    let timers: LoopTimers
    let clock: () -> Instant
    let handler: any RequestHandler
    /// The body of every request without one.
    let emptyBody = RequestBody()
    /// Adds a connection of HTTP/2 to the end of a channel's pipeline; throws if that is gone, or if there is no memory.
    let speakHTTP2: (ConnectionServices, ConnectionPeer, any Channel) throws -> Void
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: any ClientConnection] = [:]

    init(
        limits: ConnectionLimits, outbox: Outbox, timers: LoopTimers, clock: @escaping () -> Instant,
        handler: any RequestHandler,
        speakHTTP2: @escaping (ConnectionServices, ConnectionPeer, any Channel) throws -> Void
    ) {
        self.limits = limits
        self.outbox = outbox
        self.timers = timers
        self.clock = clock
        self.handler = handler
        self.speakHTTP2 = speakHTTP2
    }

    var connectionCount: Int { connections.count }

    func opened(_ connection: any ClientConnection) { connections[ObjectIdentifier(connection)] = connection }

    func closed(_ connection: any ClientConnection) { connections[ObjectIdentifier(connection)] = nil }

    /// Has every connection close as soon as no request of it is being answered.
    func drain() {
        isDraining = true
        for connection in connections.values { connection.drain() }
    }

    /// Closes every connection at once.
    func closeAll() {
        for connection in connections.values { connection.cut() }
    }
}
