import Downstream
import Flow
import Logging
import NIOCore
import NIOPosix
import OTLP
package import Observability
package import Settings
package import Upstream

/// The whole proxy: its event loops, from the listening sockets to the orderly stop.
package final class Server: Sendable {
    let shared: Shared
    let log: Logger
    /// `nil` if the public listeners have none.
    let tls: ServerTLS?
    private let group: MultiThreadedEventLoopGroup
    private let loops: [any EventLoop]
    private let workers: [NIOLoopBound<Worker>]
    private let calls = LoopCalls()
    private let admin: NIOLoopBound<AdminListener>?
    private let readiness: Readiness
    /// The addresses at which it listens, as URLs with the ports that the system chose, in the order of binding.
    package let urls: [String]
    /// The address of the admin listener in the same form; `nil` if there is none.
    package let adminURL: String?
    private let (ends, end) = AsyncStream<Never>.makeStream()

    /// Opens the listeners; when this returns, requests are served.
    ///
    /// - Parameters:
    ///   - configuration: The configuration to serve.
    ///   - version: The version of weir, for the metrics.
    ///   - pages: The pages for operators.
    ///   - waking: How the loops are notified of libcurl's sockets.
    ///   - inherited: Sockets that listen already.
    ///   - accessLog: The access log; `nil` if there is none.
    ///   - processLog: The process's own log; each listener's address is logged there.
    /// - Returns: The running proxy; it runs until ``drain()``.
    /// - Throws: ``BindError`` if a listener cannot be opened.
    package static func start(
        _ configuration: Configuration, version: String, pages: any OperatorPages, waking: Waking = .auto,
        inherited: InheritedSockets = InheritedSockets(), accessLog: LogSink?, processLog: ProcessLog
    ) async throws -> Server {
        LargeBlocks.returnToSystem()
        let count = configuration.workers ?? System.coreCount
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        do {
            return try await Server(
                configuration, version: version, pages: pages, on: group, waking: waking, inherited: inherited,
                accessLog: accessLog,
                processLog: processLog)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private init(
        _ configuration: Configuration, version: String, pages: any OperatorPages,
        on group: MultiThreadedEventLoopGroup, waking: Waking,
        inherited: InheritedSockets, accessLog: LogSink?, processLog: ProcessLog
    ) async throws {
        let log = processLog.logger
        var inherited = inherited
        let loops = group.makeIterator().map { $0 as any EventLoop }
        let readiness = Readiness()
        let tls = try Self.makeTLS(configuration)
        let replicas = try await loops[0].submit {
            try configuration.replicas.map { try Replicas($0, on: loops[0], log: log) }
        }.get()
        let telemetry = configuration.otlp.map { Telemetry($0, version: version, log: log) }
        let shared = Shared(
            configuration, workers: loops.count,
            maximumConnections: DescriptorLimit.connections(wanted: configuration.limits.maxConnections, log: log),
            log: accessLog, process: processLog, readiness: readiness, version: version, tls: tls, pages: pages,
            replicas: replicas, telemetry: telemetry)
        var workers: [NIOLoopBound<Worker>] = []
        for (loop, gauge) in zip(loops, shared.buffers.cells) {
            workers.append(
                try await loop.submit {
                    let worker = try Worker(on: loop, shared: shared, gauge: gauge)
                    shared.roster.add(NIOLoopBound(worker, eventLoop: loop))
                    return NIOLoopBound(worker, eventLoop: loop)
                }.get())
        }
        for (index, worker) in workers.enumerated() {
            let chosen = try await loops[index].flatSubmit { worker.value.upstream.start(waking: waking) }.get()
            if index == 0 { log.debug("loops are woken", metadata: ["waking": "\(chosen.rawValue)"]) }
        }
        let first = workers[0]
        try await loops[0].submit { first.value.checkUpstreams(of: shared.served) }.get()
        let opening = ListenerOpening(
            workers: workers, loops: loops, group: group, configuration: configuration)
        var urls: [String] = []
        for (listener, sharesOwn) in configuration.listen.inOrderOfBinding {
            let socket = inherited.take(listener.address)
            let text = try await opening.open(listener, inherited: socket, sharesOwn: sharesOwn)
            log.info("listening on \(text)", metadata: socket == nil ? [:] : ["socket": "inherited"])
            urls.append(text)
        }
        let admin = try await opening.openAdmin(configuration.admin, &inherited, shared: shared, log: log)
        (self.admin, adminURL) = (admin?.listener, admin?.url)
        // The supervisor expects a process to accept connections there.
        if let stray = inherited.left.first {
            throw BindError(
                description: "a socket at \(stray.text) was handed over, which is neither in `listen` nor `admin`")
        }
        let build = shared.process.build
        try await telemetry?.start(waking: waking) { loop in
            pages.metrics(
                of: OperatorInterface(shared), to: MetricsBody(since: build.start, at: .now()), on: loop)
        }
        readiness.becameReady()
        (self.shared, self.log, self.group, self.loops) = (shared, log, group, loops)
        (self.workers, self.readiness, self.tls, self.urls) = (workers, readiness, tls, urls)
    }

    // MARK: Stopping

    /// The time after the end of the streams for the last export of traces and metrics.
    private static let exportTime = Duration.seconds(2)

    /// A message between loops causes at most two more, as of a batch of records, its confirmation and the next batch.
    private static let longestChain = 3

    /// The time for which open streams continue in a drain, by the current configuration.
    package var shutdownGrace: Duration { shared.served.configuration.shutdownGrace }

    /// Stops in order: no new requests; open streams continue for at most the grace time, then end after a whole record.
    ///
    /// A second call ends them at once. Returns when everything has ended.
    package func drain() async {
        guard readiness.beganDraining() else {
            await endStreams()
            return
        }
        let grace = shutdownGrace
        log.notice("draining", metadata: ["grace": "\(grace)"])
        await onEachWorker { $0.drain(over: grace) }
        await wait(atMost: grace) { await self.openStreams() == 0 }
        await endStreams()
        // What is exported last is the spans of these streams.
        async let exported: Void? = shared.telemetry?.stop(within: Self.exportTime)
        // Written bytes still have to reach slow clients; after that their connections are closed.
        await wait(atMost: .seconds(1)) { await self.openConnections() == 0 }
        _ = await exported
        await onEachWorker { $0.stop() }
        await calls.close()
        if let replicas = shared.replicas { try? await loops[0].submit { replicas.stop() }.get() }
        if let admin { try? await loops[0].submit { admin.value.listener.drain() }.get() }
        if let admin { try? await loops[0].submit { admin.value.listener.closeAll() }.get() }
        shared.roster.close()
        await messagesArrive()
        try? await group.shutdownGracefully()
        // It is the last that the other loops have messages for.
        await shared.telemetry?.shutDown()
        log.notice("stopped")
        end.finish()
    }

    /// Waits for the messages that loops have sent each other: none may arrive at a loop that has been shut down.
    private func messagesArrive() async {
        for _ in 0..<Self.longestChain { for loop in loops { try? await loop.submit {}.get() } }
    }

    /// Applies the limits of the present configuration to the admin listener.
    func reloadAdmin() async {
        guard let admin else { return }
        await calls.make { [shared] in try? await loops[0].submit { admin.value.reload(shared) }.get() }
    }

    /// Returns when a drain is complete.
    package func stopped() async { for await _ in ends {} }

    private func endStreams() async { await onEachWorker { $0.endStreams(.drained) } }

    private func openStreams() async -> Int { await sum { $0.openStreams } }

    private func openConnections() async -> Int { await sum { $0.listener?.connectionCount ?? 0 } }

    private func sum(_ figure: @escaping @Sendable (Worker) -> Int) async -> Int {
        await calls.make {
            var total = 0
            for (worker, loop) in zip(workers, loops) {
                total += (try? await loop.submit { figure(worker.value) }.get()) ?? 0
            }
            return total
        } ?? 0
    }

    /// Calls a function with each worker, on its loop; does nothing once the loops are to be shut down.
    func onEachWorker(_ body: @escaping @Sendable (Worker) -> Void) async {
        await calls.make {
            for (worker, loop) in zip(workers, loops) { try? await loop.submit { body(worker.value) }.get() }
        }
    }

    private func wait(atMost limit: Duration, until isDone: () async -> Bool) async {
        let end = ContinuousClock.now + limit
        while await !isDone(), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }
}
