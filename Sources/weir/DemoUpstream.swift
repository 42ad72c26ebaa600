import Downstream
import Flow
import NIOCore
import NIOHTTP1
import NIOPosix

/// The demo's upstream: orders as NDJSON, and the tokens of a language model, as fast as they are read.
final class DemoUpstream: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listener: NIOLoopBound<Holder>
    let port: Int

    /// Keeps the listener's dependencies alive.
    private final class Holder {
        let listener: Listener
        private let handler: DemoHandler
        private let timers: LoopTimers

        init(on loop: any EventLoop) {
            let clock = { Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds)) }
            let outbox = Outbox()
            handler = DemoHandler()
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
/// `/v1/orders/stream?items=N` and its siblings send N orders, a million by default; ``DemoCompletion`` describes the
/// tokens. Any other path gets 404. The body of a request is dropped.
private final class DemoHandler: RequestHandler {
    private static let paths: Set<Substring> = [
        "/v1/orders/stream", "/v1/orders/export", "/v1/orders/latest", "/v1/orders/shared",
    ]
    private var streams: [ObjectIdentifier: DemoStream] = [:]

    func requestArrived(_ request: Request, body: RequestBody, writer: any ConnectionResponse) {
        guard let stream = stream(of: DemoQuery(of: request.head.uri), at: request.path, writer: writer) else {
            return notFound(writer)
        }
        streams[ObjectIdentifier(stream)] = stream
        stream.start()
    }

    private func stream(of query: DemoQuery, at path: Substring, writer: any ConnectionResponse) -> DemoStream? {
        let ended: (DemoStream) -> Void = { [weak self] stream in self?.streams[ObjectIdentifier(stream)] = nil }
        if path == DemoCompletion.path {
            let completion = DemoCompletion(query)
            return DemoStream(
                DemoCompletion.headers, completion.record,
                end: completion.isEndless ? .never : completion.isCut ? .brokenOff : .complete, to: writer, ended: ended
            )
        }
        guard Self.paths.contains(path) else { return nil }
        let orders = DemoOrders(query)
        return DemoStream(orders.headers, orders.record, end: .complete, to: writer, ended: ended)
    }

    func faultArrived(_ fault: RequestFault, peer: String, writer: any ConnectionResponse) { notFound(writer) }

    private func notFound(_ writer: any ConnectionResponse) {
        writer.writeHead(.notFound, headers: ["Content-Length": "0"], body: .length)
        writer.end()
    }
}

/// The demo's orders.
private struct DemoOrders {
    private static let customers = ["Ada", "Grace", "Edsger", "Barbara", "Tony"]
    private let items: Int

    init(_ query: DemoQuery) { items = max(0, query.number("items") ?? 1_000_000) }

    var headers: HTTPHeaders {
        ["Content-Type": "application/x-ndjson", "X-Stream-Total-Items": String(items)]
    }

    /// The record with this number, from 0; `nil` after the last.
    func record(_ index: Int) -> String? {
        guard index < items else { return nil }
        let number = index + 1, customer = Self.customers[number % Self.customers.count]
        return "{\"orderId\":\(number),\"customer\":\"\(customer)\",\"amount\":\(number * 37 % 500 + 1)}\n"
    }
}

/// Writes records as long as the reader takes them.
private final class DemoStream: ResponseWriterDelegate {
    enum End { case complete, brokenOff, never }

    private let headers: HTTPHeaders
    private let record: (Int) -> String?
    private let end: End
    private let writer: any ConnectionResponse
    private let ended: (DemoStream) -> Void
    private var next = 0

    init(
        _ headers: HTTPHeaders, _ record: @escaping (Int) -> String?, end: End, to writer: any ConnectionResponse,
        ended: @escaping (DemoStream) -> Void
    ) {
        (self.headers, self.record, self.end) = (headers, record, end)
        (self.writer, self.ended) = (writer, ended)
    }

    func start() {
        writer.delegate = self
        writer.writeHead(.ok, headers: headers, body: .unknown)
        responseCaughtUp()
    }

    func responseCaughtUp() {
        while var text = record(next) {
            guard writer.room >= text.utf8.count else { return }
            text.withUTF8 { writer.write(UnsafeRawBufferPointer($0)) }
            next += 1
        }
        switch end {
        case .complete: writer.end()
        case .brokenOff:
            writer.breakOff()
            ended(self)
        case .never: break
        }
    }

    func responseBlocked() {}

    func responseFinished() { ended(self) }

    func responseClosed() { ended(self) }
}
