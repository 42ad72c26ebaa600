import Downstream
import Flow
import NIOCore
import NIOHTTP1
import NIOPosix

/// The demo's upstream: orders as NDJSON, as fast as they are read.
final class DemoUpstream: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listener: NIOLoopBound<Holder>
    let port: Int

    /// Keeps the listener's dependencies alive.
    private final class Holder {
        let listener: Listener
        private let handler: OrdersHandler
        private let timers: LoopTimers

        init(on loop: any EventLoop) {
            let clock = { Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds)) }
            let outbox = Outbox()
            handler = OrdersHandler()
            timers = LoopTimers(on: loop, clock: clock)
            timers.turnEnded = { outbox.turnEnded() }
            listener = Listener(
                on: loop, limits: ConnectionLimits(), outbox: outbox, timers: timers, clock: clock, gate: nil,
                handler: handler)
        }
    }

    static func start() async throws -> DemoUpstream {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let holder = try await loop.submit { NIOLoopBound(Holder(on: loop), eventLoop: loop) }.get()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        let bound = try await loop.flatSubmit { holder.value.listener.bind(address) }.get()
        return DemoUpstream(group: group, listener: holder, port: bound?.port ?? 0)
    }

    private init(group: MultiThreadedEventLoopGroup, listener: NIOLoopBound<Holder>, port: Int) {
        self.group = group
        self.listener = listener
        self.port = port
    }

    func stop() async {
        let listener = listener
        try? await group.next().submit {
            listener.value.listener.drain()
            listener.value.listener.closeAll()
        }.get()
        try? await group.shutdownGracefully()
    }
}

/// The handler of the demo's paths.
///
/// `GET /v1/orders/stream?items=N` and its siblings send N orders, a million by default; any other path gets 404.
private final class OrdersHandler: RequestHandler {
    private static let paths: Set<Substring> = [
        "/v1/orders/stream", "/v1/orders/export", "/v1/orders/latest", "/v1/orders/shared",
    ]
    private var streams: [ObjectIdentifier: OrderStream] = [:]

    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {
        guard Self.paths.contains(request.path) else { return notFound(writer) }
        let items = request.head.uri.split(separator: "?").dropFirst().first?.split(separator: "&")
            .first { $0.hasPrefix("items=") }.flatMap { Int($0.dropFirst("items=".count)) }
        let stream = OrderStream(items: max(0, items ?? 1_000_000), writer: writer) { [weak self] stream in
            self?.streams[ObjectIdentifier(stream)] = nil
        }
        streams[ObjectIdentifier(stream)] = stream
        stream.start()
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) { notFound(writer) }

    private func notFound(_ writer: any ConnectionResponse) {
        writer.writeHead(.notFound, headers: ["Content-Length": "0"], body: .length)
        writer.end()
    }
}

/// Writes orders as long as the reader takes them.
private final class OrderStream: ResponseWriterDelegate {
    private let items: Int
    private let writer: any ConnectionResponse
    private let ended: (OrderStream) -> Void
    private var next = 1

    private static let customers = ["Ada", "Grace", "Edsger", "Barbara", "Tony"]

    init(items: Int, writer: any ConnectionResponse, ended: @escaping (OrderStream) -> Void) {
        self.items = items
        self.writer = writer
        self.ended = ended
    }

    func start() {
        writer.delegate = self
        writer.writeHead(
            .ok, headers: ["Content-Type": "application/x-ndjson", "X-Stream-Total-Items": String(items)],
            body: .unknown)
        responseCaughtUp()
    }

    func responseCaughtUp() {
        while next <= items {
            var order = line(next)
            guard writer.room >= order.utf8.count else { return }
            order.withUTF8 { writer.write(UnsafeRawBufferPointer($0)) }
            next += 1
        }
        writer.end()
    }

    func responseBlocked() {}

    func responseFinished() { ended(self) }

    func responseClosed() { ended(self) }

    private func line(_ number: Int) -> String {
        let customer = Self.customers[number % Self.customers.count]
        return "{\"orderId\":\(number),\"customer\":\"\(customer)\",\"amount\":\(number * 37 % 500 + 1)}\n"
    }
}
