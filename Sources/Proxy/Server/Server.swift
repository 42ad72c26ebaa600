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
    private let loops: ServerLoops
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
        var loops = ServerLoops(count: configuration.workers ?? System.coreCount)
        do {
            return try await Server(
                configuration, version: version, pages: pages, on: &loops, waking: waking, inherited: inherited,
                accessLog: accessLog,
                processLog: processLog)
        } catch {
            await loops.shutDown()
            throw error
        }
    }

    private init(
        _ configuration: Configuration, version: String, pages: any OperatorPages,
        on loops: inout ServerLoops, waking: Waking,
        inherited: InheritedSockets, accessLog: LogSink?, processLog: ProcessLog
    ) async throws {
        let log = processLog.logger
        var inherited = inherited
        let readiness = Readiness()
        let tls = try Self.makeTLS(configuration)
        let first = loops.all[0]
        let replicas = try await first.submit {
            try configuration.replicas.map { try Replicas($0, on: first, log: log) }
        }.get()
        let telemetry = configuration.otlp.map { Telemetry($0, version: version, log: log) }
        let shared = Shared(
            configuration, workers: loops.all.count,
            maximumConnections: DescriptorLimit.connections(wanted: configuration.limits.maxConnections, log: log),
            log: accessLog, process: processLog, readiness: readiness, version: version, tls: tls, pages: pages,
            replicas: replicas, telemetry: telemetry)
        loops.shared = shared
        for (loop, gauge) in zip(loops.all, shared.buffers.cells) {
            loops.workers.append(
                try await loop.submit {
                    let worker = try Worker(on: loop, shared: shared, gauge: gauge)
                    shared.roster.add(NIOLoopBound(worker, eventLoop: loop))
                    return NIOLoopBound(worker, eventLoop: loop)
                }.get())
        }
        for (index, worker) in loops.workers.enumerated() {
            let chosen = try await loops.all[index].flatSubmit { worker.value.upstream.start(waking: waking) }.get()
            if index == 0 { log.debug("loops are woken", metadata: ["waking": "\(chosen.rawValue)"]) }
        }
        let checking = loops.workers[0]
        try await first.submit { checking.value.checkUpstreams(of: shared.served) }.get()
        let opening = ListenerOpening(
            workers: loops.workers, loops: loops.all, group: loops.group, configuration: configuration)
        var urls: [String] = []
        for (listener, sharesOwn) in configuration.listen.inOrderOfBinding {
            let socket = inherited.take(listener.address)
            let text = try await opening.open(listener, inherited: socket, sharesOwn: sharesOwn)
            log.info("listening on \(text)", metadata: socket == nil ? [:] : ["socket": "inherited"])
            urls.append(text)
        }
        let admin = try await opening.openAdmin(configuration.admin, &inherited, shared: shared, log: log)
        (loops.admin, adminURL) = (admin?.listener, admin?.url)
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
        (self.shared, self.log, self.loops) = (shared, log, loops)
        (self.readiness, self.tls, self.urls) = (readiness, tls, urls)
    }

    // MARK: Stopping

    /// The time after the end of the streams for the last export of traces and metrics.
    private static let exportTime = Duration.seconds(2)

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
        await loops.onEachWorker { $0.drain(over: grace) }
        await wait(atMost: grace) { await self.openStreams() == 0 }
        await endStreams()
        // What is exported last is the spans of these streams.
        async let exported: Void? = shared.telemetry?.stop(within: Self.exportTime)
        // Written bytes still have to reach slow clients; after that their connections are closed.
        await wait(atMost: .seconds(1)) { await self.openConnections() == 0 }
        _ = await exported
        await loops.shutDown()
        log.notice("stopped")
        end.finish()
    }

    /// Applies a configuration to what is on the loops.
    func adopt(_ served: ServedConfiguration) async {
        await loops.onEachWorker { $0.adopt(served) }
        await loops.onAdmin { [shared] in $0.reload(shared) }
    }

    /// Returns when a drain is complete.
    package func stopped() async { for await _ in ends {} }

    private func endStreams() async { await loops.onEachWorker { $0.endStreams(.drained) } }

    private func openStreams() async -> Int { await loops.sum { $0.openStreams } }

    private func openConnections() async -> Int { await loops.sum { $0.listener?.connectionCount ?? 0 } }

    private func wait(atMost limit: Duration, until isDone: () async -> Bool) async {
        let end = ContinuousClock.now + limit
        while await !isDone(), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }
}
