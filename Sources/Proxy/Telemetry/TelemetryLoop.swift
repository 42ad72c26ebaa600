import Downstream
import Flow
import NIOCore
import OTLP
import Upstream

/// The event loop of an export, with libcurl's handles and timers; every call is on it.
final class TelemetryLoop {
    /// One signal.
    struct Export {
        let destination: ExportDestination
        let source: any ExportSource
        let interval: Duration
        /// Called with the result of each request.
        let report: (TelemetryFigures.Result, _ reason: String) -> Void
        /// Called for a request that was not accepted completely.
        let reportPartial: (PartialSuccess) -> Void
    }

    private let loop: ExportLoop
    private let eventLoop: any EventLoop
    private let exporters: [SignalExporter]

    /// - Throws: If the system has no descriptors left for libcurl's sockets.
    init(on eventLoop: any EventLoop, _ exports: [Export]) throws {
        let clock: () -> Instant = { .monotonic() }
        let loop = ExportLoop(
            upstream: try UpstreamLoop(on: eventLoop, clock: clock), timers: LoopTimers(on: eventLoop, clock: clock),
            clock: clock)
        (self.loop, self.eventLoop) = (loop, eventLoop)
        exporters = exports.map { SignalExporter($0, on: loop) }
    }

    /// Begins to export once the loop can be woken.
    ///
    /// - Returns: How it is woken; a failure leaves nothing on the loop.
    func start(waking: Waking) -> EventLoopFuture<Waking> {
        loop.upstream.start(waking: waking).assumeIsolated().map { [self] waking in
            for exporter in exporters { exporter.start() }
            return waking
        }.flatMapErrorThrowing { [loop] error in
            loop.upstream.stop()
            throw error
        }.nonisolated()
    }

    /// Exports what is left.
    ///
    /// - Returns: Succeeds at `end` at the latest.
    func drain(until end: Instant) -> EventLoopFuture<Void> {
        let ends = exporters.map { exporter in
            let promise = eventLoop.makePromise(of: Void.self)
            exporter.drain(until: end) { promise.succeed() }
            return promise.futureResult
        }
        return EventLoopFuture.andAllSucceed(ends, on: eventLoop)
    }

    /// Ends the objects that exist as long as the loop.
    func stop() { loop.upstream.stop() }
}

/// The part of an exporter's event loop that all signals use.
struct ExportLoop {
    let upstream: UpstreamLoop
    let timers: LoopTimers
    let clock: () -> Instant
}
