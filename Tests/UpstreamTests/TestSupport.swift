import Flow
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Upstream

/// What a condition was waited for, and did not come.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// How long a test waits for what must happen: far longer than it takes, so that only a fault runs into it.
let answerTimeout = TimeAmount.seconds(20)

/// A value that others change, and that can be waited for.
final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let condition: @Sendable (Value) -> Bool
        let promise: EventLoopPromise<Value>
    }

    private let state: Mutex<(value: Value, waiters: [Waiter])>

    init(_ value: Value) { state = Mutex((value, [])) }

    var value: Value { state.withLock { $0.value } }

    func update(_ change: (inout Value) -> Void) {
        let (value, met) = state.withLock { state in
            change(&state.value)
            let value = state.value
            let met = state.waiters.filter { $0.condition(value) }
            state.waiters.removeAll { $0.condition(value) }
            return (value, met)
        }
        for waiter in met { waiter.promise.succeed(value) }
    }

    /// Waits until the condition holds.
    @discardableResult func wait(
        for what: String, until condition: @escaping @Sendable (Value) -> Bool
    ) async throws -> Value {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Value.self)
        let deadline = loop.scheduleTask(in: answerTimeout) { promise.fail(TimedOut(description: what)) }
        let value = state.withLock { state -> Value? in
            if condition(state.value) { return state.value }
            state.waiters.append(Waiter(condition: condition, promise: promise))
            return nil
        }
        if let value { promise.succeed(value) }
        defer { deadline.cancel() }
        return try await promise.futureResult.get()
    }
}

/// An ``UpstreamLoop`` and its event loop; everything that runs here runs on that loop.
actor Bench {
    nonisolated let eventLoop: any EventLoop
    private var upstream: UpstreamLoop?
    /// How the loop is woken.
    private(set) var waking: Waking?

    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    private init(on eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Runs a test on a loop of its own, and closes everything behind it.
    static func run(
        waking: Waking = .auto, _ body: @Sendable (isolated Bench) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bench = Bench(on: group.next())
        let result: Result<Void, any Error>
        do {
            try await bench.open(waking)
            try await body(bench)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await bench.close()
        try await group.shutdownGracefully()
        try result.get()
    }

    private func open(_ waking: Waking) async throws {
        let upstream = try UpstreamLoop(on: eventLoop) {
            Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
        }
        self.upstream = upstream
        let chosen = try await upstream.start(waking: waking).get()
        self.waking = chosen
        if waking != .auto { #expect(chosen == waking) }
    }

    private func close() {
        upstream?.stop()
        upstream = nil
    }

    /// Counts the turns of the upstream.
    var turn: UInt64 { upstream?.turn ?? 0 }

    var statistics: UpstreamLoop.Statistics { upstream?.statistics ?? .init() }

    func keep(_ origins: [Origin]) { upstream?.keep(origins) }

    /// How many connections to an origin wait for the next request.
    func idleConnections(to origin: Origin) -> Int { upstream?.idleConnections()[ObjectIdentifier(origin)] ?? 0 }

    /// Does this each time when clients are to be written to.
    func onHandedOver(_ body: @escaping () -> Void) { upstream?.handedOver = body }

    /// Makes a request ready; `start()` sends it.
    func request(
        _ target: String = "/", method: HTTPMethod = .GET, headers: HTTPHeaders = ["Host": "test"], at origin: Origin
    ) throws -> Exchange {
        let upstream = try #require(upstream)
        let exchange = Exchange()
        let transfer = try upstream.makeTransfer(
            UpstreamRequest(method: method, target: target), at: origin, delegate: exchange)
        for (name, value) in headers { transfer.headers.add(name, value) }
        exchange.transfer = transfer
        return exchange
    }

    /// Sends a request and waits for the end of its response.
    func response(
        to target: String = "/", method: HTTPMethod = .GET, headers: HTTPHeaders = ["Host": "test"], at origin: Origin
    ) async throws -> Exchange {
        let exchange = try request(target, method: method, headers: headers, at: origin)
        exchange.start()
        try await wait(for: exchange, until: "its end") { $0.end != nil }
        return exchange
    }

    /// Waits until what a transfer told meets the condition.
    func wait(
        for exchange: Exchange, until what: String, _ condition: @escaping (Exchange) -> Bool
    ) async throws {
        guard !condition(exchange) else { return }
        let promise = eventLoop.makePromise(of: Void.self)
        let deadline = eventLoop.scheduleTask(in: answerTimeout) { promise.fail(TimedOut(description: what)) }
        exchange.waiters.append((condition, promise))
        try await promise.futureResult.get()
        deadline.cancel()
    }

}

/// One transfer and all that it told.
final class Exchange: TransferDelegate {
    var transfer: Transfer?
    private(set) var interim: [UpstreamResponseHead] = []
    private(set) var head: UpstreamResponseHead?
    private(set) var body: [UInt8] = []
    private(set) var trailers = HTTPHeaders()
    private(set) var end: TransferEnd?
    /// Done with each piece of the body, in the middle of the call.
    var onBytes: (Int) -> Void = { _ in }
    var onHead: () -> Void = {}
    var onEnd: () -> Void = {}
    /// Whether the body is kept; else only counted.
    var keepsBody = true
    private(set) var count = 0
    fileprivate var waiters: [(condition: (Exchange) -> Bool, promise: EventLoopPromise<Void>)] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    func start() { transfer?.start() }

    func transferInterim(_ head: UpstreamResponseHead) {
        #expect(self.head == nil && end == nil, "in front of the final head")
        interim.append(head)
    }

    func transferHead(_ head: UpstreamResponseHead) {
        #expect(self.head == nil && count == 0 && end == nil, "one head, in front of everything else")
        self.head = head
        onHead()
        told()
    }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        #expect(head != nil && end == nil && !bytes.isEmpty)
        count += bytes.count
        if keepsBody { body += bytes }
        onBytes(bytes.count)
        told()
    }

    func transferTrailers(_ trailers: HTTPHeaders) {
        #expect(end == nil && self.trailers.isEmpty && !trailers.isEmpty)
        self.trailers = trailers
    }

    func transferEnded(_ end: TransferEnd) {
        #expect(self.end == nil, "the end is told once")
        self.end = end
        transfer = nil
        onEnd()
        told()
    }

    private func told() {
        let met = waiters.filter { $0.condition(self) }
        waiters.removeAll { $0.condition(self) }
        for waiter in met { waiter.promise.succeed() }
    }
}
