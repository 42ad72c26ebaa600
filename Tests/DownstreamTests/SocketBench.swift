import Flow
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Downstream

#if canImport(Glibc)
    import Glibc
#endif

/// A ``Listener`` on an event loop of its own; everything that runs here runs on that loop.
actor SocketBench {
    nonisolated let eventLoop: any EventLoop
    /// Another, on a thread of its own.
    nonisolated let otherLoop: any EventLoop
    let handler = ScriptedHandler()
    private var held: Listener?
    private let outbox = Outbox()

    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    private init(on eventLoop: any EventLoop, beside otherLoop: any EventLoop) {
        (self.eventLoop, self.otherLoop) = (eventLoop, otherLoop)
    }

    /// Runs a test with a listener, and closes everything after it.
    static func run(
        gate: (any ConnectionGate)? = nil,
        _ body: @Sendable (isolated SocketBench, Listener) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let bench = SocketBench(on: group.next(), beside: group.next())
        let result: Result<Void, any Error>
        do {
            try await bench.run(gate: gate, body)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await group.shutdownGracefully()
        try result.get()
    }

    private func run(
        gate: (any ConnectionGate)?, _ body: @Sendable (isolated SocketBench, Listener) async throws -> Void
    ) async throws {
        let clock = { Instant(.now()) }
        let timers = LoopTimers(on: eventLoop, clock: clock)
        timers.turnEnded = { [outbox] in outbox.turnEnded() }
        let listener = Listener(
            on: eventLoop, limits: .init(), outbox: outbox, timers: timers, clock: clock, gate: gate, handler: handler)
        held = listener
        defer {
            listener.drain()
            listener.closeAll()
        }
        try await body(self, listener)
    }

    /// A turn of the loop that has another cause: does this and ends.
    func turn(_ body: () -> Void = {}) {
        body()
        outbox.turnEnded()
    }

    /// Waits for a condition that no event reports: polls it.
    func wait(for what: String, until condition: () -> Bool) async throws {
        let deadline = NIODeadline.now() + answerTimeout
        while !condition() {
            guard NIODeadline.now() < deadline else { throw TimedOut(description: what) }
            try await eventLoop.scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
        }
    }

    /// Opens a listening socket and returns its address.
    func bind(_ listener: Listener) async throws -> SocketAddress {
        try #require(try await listener.bind(SocketAddress(ipAddress: "127.0.0.1", port: 0)).get())
    }
}

/// A client on a socket, which may read only on demand.
final class SocketClient: Sendable {
    struct State: Sendable {
        var received: [UInt8] = []
        /// Nothing more will be received.
        var isClosed = false
        /// It was reset.
        var failed = false

        var text: String { String(decoding: received, as: UTF8.self) }
    }

    let state = Watched(State())
    private let channel: any Channel

    /// Connects; unless it reads as fast as it can, it reads nothing before `startReading()`.
    init(_ address: SocketAddress, reads: Bool = true) async throws {
        let state = state
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            // The server's end ends what it receives, not what it sends.
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(state: state))
                }
            }
            .connect(to: address).get()
    }

    deinit { channel.close(promise: nil) }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// Reads until this many bytes have come in all, and then no more.
    func read(atLeast count: Int) async throws {
        while case let received = state.value.received.count, received < count {
            channel.read()
            try await state.wait(for: "more to read") { $0.received.count > received }
        }
    }

    /// Bytes that came as far as this end's kernel, read or not.
    func arrivedBytes() async throws -> Int {
        let (channel, state) = (channel, state)
        return try await channel.eventLoop.submit {
            let unread = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
                (socket: NIOBSDSocket.Handle) in
                var bytes: CInt = 0
                return ioctl(socket, UInt(FIONREAD), &bytes) == 0 ? Int(bytes) : 0
            }
            return state.value.received.count + (unread ?? 0)
        }.get()
    }

    func close() async throws { try await channel.close().get() }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let state: Watched<State>

        init(state: Watched<State>) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            state.update { $0.received += bytes.readableBytesView }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { state.update { $0.isClosed = true } }
        }

        func channelInactive(context: ChannelHandlerContext) { state.update { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            state.update { $0.failed = true }
            context.close(promise: nil)
        }
    }
}
