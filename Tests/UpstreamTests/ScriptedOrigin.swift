import Flow
import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Upstream

/// A server on 127.0.0.1 that answers each request by a script, byte by byte, and counts its connections and requests.
final class ScriptedOrigin: Sendable {
    struct Counts: Sendable {
        var accepted = 0
        var closed = 0
        /// The heads of all requests, as they came over the wire.
        var requests: [String] = []
        /// Bytes that the sockets of all connections have taken.
        var sent = 0
        var open: Int { accepted - closed }
    }

    /// Answers a request; called on the connection's event loop.
    typealias Script = @Sendable (_ path: String, _ connection: ScriptedConnection) -> Void

    let counts: Watched<Counts>
    let origin: Origin
    private let channel: any Channel

    private init(channel: any Channel, counts: Watched<Counts>, receiveBuffer: ByteCount?) throws {
        self.channel = channel
        self.counts = counts
        let port = try #require(channel.localAddress?.port)
        origin = Origin(url: "http://127.0.0.1:\(port)", connectTimeout: .seconds(5), receiveBuffer: receiveBuffer)
    }

    /// Runs a test with an origin, and closes the origin after it.
    static func run(
        receiveBuffer: ByteCount? = nil, _ script: @escaping Script,
        _ body: (ScriptedOrigin) async throws -> Void
    ) async throws {
        let counts = Watched(Counts())
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            // Less than a piece that is poured: so each is waited for, and the loop serves its other connections.
            .childChannelOption(.socketOption(.so_sndbuf), value: 64 << 10)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedConnection(counts: counts, script: script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let origin = try ScriptedOrigin(channel: channel, counts: counts, receiveBuffer: receiveBuffer)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(origin))
        } catch {
            result = .failure(error)
        }
        try await channel.close()
        try result.get()
    }

    /// An address without a listener.
    static func unreachable() async throws -> Origin {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close()
        return Origin(url: "http://127.0.0.1:\(port)", connectTimeout: .seconds(5), receiveBuffer: nil)
    }
}

/// Runs a test on a loop of its own beside an origin that answers by the script.
func withOrigin(
    waking: Waking = .auto, receiveBuffer: ByteCount? = nil, _ script: @escaping ScriptedOrigin.Script,
    test: @Sendable (isolated Bench, ScriptedOrigin) async throws -> Void
) async throws {
    try await ScriptedOrigin.run(receiveBuffer: receiveBuffer, script) { origin in
        try await Bench.run(waking: waking) { bench in try await test(bench, origin) }
    }
}

/// One connection of an origin; its script decides what it sends.
final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let counts: Watched<ScriptedOrigin.Counts>
    private let script: ScriptedOrigin.Script
    private var context: ChannelHandlerContext?
    private var received = ""
    /// Requests that came over this connection.
    private(set) var requests = 0
    /// Refilled whenever the socket takes it.
    private var endless: ByteBuffer?
    private var left = 0

    fileprivate init(counts: Watched<ScriptedOrigin.Counts>, script: @escaping ScriptedOrigin.Script) {
        self.counts = counts
        self.script = script
    }

    // MARK: What a script may do

    func send(_ text: String) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenSuccess { [counts] in
            counts.update { $0.sent += text.utf8.count }
        }
    }

    /// Sends this number of bytes of a repeated line, as fast as they are taken.
    func pour(_ line: String, bytes: Int) {
        let times = (256 << 10) / line.utf8.count + 1
        endless = ByteBuffer(string: String(repeating: line, count: times))
        left = bytes
        pourOn()
    }

    func close() { context?.close(promise: nil) }

    /// Resets the connection: the peer gets RST, not FIN.
    func reset() {
        guard let context, let options = context.channel as? any SocketOptionProvider else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in bound.value.close(promise: nil) }
    }

    /// Calls this on the connection's event loop once the sign is true.
    func when(_ sign: Watched<Bool>, _ action: @escaping @Sendable (ScriptedConnection) -> Void) {
        guard let loop = context?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        Task {
            try await sign.wait(for: "the test's sign") { $0 }
            loop.execute { action(bound.value) }
        }
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { counts.update { $0.accepted += 1 } }

    func channelInactive(context: ChannelHandlerContext) { counts.update { $0.closed += 1 } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        while let end = received.firstRange(of: "\r\n\r\n") {
            let head = String(received[..<end.upperBound])
            received = String(received[end.upperBound...])
            requests += 1
            counts.update { $0.requests.append(head) }
            let parts = head.split(separator: " ", maxSplits: 2)
            script(parts.count == 3 ? String(parts[1]) : "", self)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func pourOn() {
        guard let context, let endless, left > 0 else { return }
        let piece = endless.getSlice(at: 0, length: min(left, endless.readableBytes)) ?? endless
        left -= piece.readableBytes
        let loop = context.eventLoop, bound = NIOLoopBound(self, eventLoop: loop)
        context.writeAndFlush(wrapOutboundOut(piece)).whenSuccess { [counts] in
            counts.update { $0.sent += piece.readableBytes }
            // Not from here: what the socket takes at once would nest without bound.
            loop.execute { bound.value.pourOn() }
        }
    }
}
