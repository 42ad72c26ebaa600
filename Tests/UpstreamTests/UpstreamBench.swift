import Flow
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport
import Testing

@testable import Upstream

/// An ``UpstreamLoop`` and its event loop; everything that runs here runs on that loop.
actor Bench {
    nonisolated let eventLoop: any EventLoop
    private var upstream: UpstreamLoop?
    /// How the loop is woken.
    private(set) var waking: Waking?

    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    private init(on eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Runs a test on a loop of its own, and closes everything after it.
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
            Instant(.now())
        }
        self.upstream = upstream
        let chosen = try await upstream.start(waking: waking).get()
        self.waking = chosen
        if waking != .auto { #expect(chosen == waking) }
    }

    func stop() { upstream?.stop() }

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

    /// Calls this each time before clients are written to.
    func onHandedOver(_ body: @escaping () -> Void) { upstream?.handedOver = body }

    /// Makes a request ready; `start()` sends it.
    func request(
        _ target: String = "/", method: HTTPMethod = .GET, headers: HTTPHeaders = ["Host": "test"], at origin: Origin
    ) throws -> Exchange {
        let upstream = try #require(upstream)
        let exchange = Exchange()
        let transfer = try upstream.makeTransfer(
            UpstreamRequest(method: method, target: target), at: origin, delegate: exchange)
        transfer.headers.begin(host: headers.first(name: "Host") ?? "test")
        for (name, value) in headers where name.lowercased() != "host" { transfer.headers.add(name, value) }
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

    /// Waits until what a transfer reported meets the condition.
    func wait(
        for exchange: Exchange, until what: String, _ condition: @escaping (Exchange) -> Bool
    ) async throws {
        guard !condition(exchange) else { return }
        let promise = eventLoop.makePromise(of: Void.self)
        let deadline = eventLoop.scheduleTask(in: answerTimeout) { promise.fail(TimedOut(description: what)) }
        exchange.wait(until: condition, promise)
        try await promise.futureResult.get()
        deadline.cancel()
    }
}
