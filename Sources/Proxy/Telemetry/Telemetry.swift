import Flow
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import OTLP
import Observability
import Settings
import Upstream

/// The export of traces and metrics over OTLP/HTTP, on a thread of its own: the proxy's loops append spans to buffers and
/// report their counts, and wait for nothing.
///
///     RequestTrace ──spans──▶ SpanBuffer (one for each loop) ──▶ SpanSource ───▶ SignalExporter ──▶ receiver
///     counts of all loops ─────────────────────────────────────▶ MetricsSource ─▶ SignalExporter ──▶ receiver
final class Telemetry: Sendable {
    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let loop: NIOLoopBound<TelemetryLoop>
    }

    /// Decides about traces that begin here.
    let sampling: TraceSampling
    private let settings: Configuration.OTLP
    private let resource: Resource
    private let log: Logger
    private let warnings = WarningPace(every: .seconds(60))
    private let buffers = NIOLockedValueBox<[SpanBuffer]>([])
    private let counts = NIOLockedValueBox(TelemetryFigures())
    private let running = NIOLockedValueBox<Running?>(nil)

    init(_ settings: Configuration.OTLP, version: String, log: Logger) {
        (self.settings, self.log) = (settings, log)
        sampling = TraceSampling(share: settings.sample)
        resource = Resource(
            name: settings.serviceName, instance: settings.instance ?? Self.randomInstance(), version: version)
    }

    /// As a UUID of version 4 (RFC 9562).
    private static func randomInstance() -> String {
        func digits(_ count: Int) -> String {
            (0..<count).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
        }
        return [digits(8), digits(4), "4" + digits(3), "a" + digits(3), digits(12)].joined(separator: "-")
    }

    /// The buffer of an event loop.
    func makeBuffer() -> SpanBuffer {
        let buffer = SpanBuffer()
        buffers.withLockedValue { $0.append(buffer) }
        return buffer
    }

    /// The counts so far.
    var figures: TelemetryFigures {
        var figures = counts.withLockedValue { $0 }
        figures.spans[.dropped] = buffers.withLockedValue { $0 }.reduce(0) { $0 + $1.dropped }
        return figures
    }

    // MARK: Life cycle

    /// Begins to export.
    ///
    /// - Parameters:
    ///   - waking: How the loop is notified of libcurl's sockets.
    ///   - metrics: Collects the metrics of all loops.
    /// - Throws: If the system has no descriptors left.
    func start(
        waking: Waking, metrics: @escaping @Sendable (any EventLoop) -> EventLoopFuture<MetricsBody>
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = group.any()
            let bound = try await loop.submit {
                NIOLoopBound(try TelemetryLoop(on: loop, self.exports { metrics(loop) }), eventLoop: loop)
            }.get()
            _ = try await loop.flatSubmit { bound.value.start(waking: waking) }.get()
            running.withLockedValue { $0 = Running(group: group, loop: bound) }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Exports what is left, and stops; ``shutDown()`` follows.
    ///
    /// - Parameter limit: The maximum time.
    func stop(within limit: Duration) async {
        guard let running = running.withLockedValue({ $0 }) else { return }
        let loop = running.loop.eventLoop
        try? await loop.flatSubmit { running.loop.value.drain(until: .monotonic() + limit) }.get()
        try? await loop.submit { running.loop.value.stop() }.get()
    }

    /// Ends its loop, for which no other may have a message any more.
    func shutDown() async {
        guard let running = running.withLockedValue({ $0.take() }) else { return }
        try? await running.group.shutdownGracefully()
    }

    // MARK: What is exported

    private func exports(
        _ metrics: @escaping @Sendable () -> EventLoopFuture<MetricsBody>
    ) -> [TelemetryLoop.Export] {
        let resource = resource, origin = ExportDestination.origin(of: settings)
        let spans = SpanSource(
            buffers: { self.buffers.withLockedValue { $0 } },
            encode: { resource.traces($0, by: .current) },
            count: { result, count in self.counts.withLockedValue { $0.spans[result] += count } })
        var exports = [
            TelemetryLoop.Export(
                destination: ExportDestination(settings, .traces, at: origin), source: spans,
                interval: .seconds(1), report: report(.traces), reportPartial: reportPartial(.traces))
        ]
        if let interval = settings.metricsInterval {
            exports.append(
                TelemetryLoop.Export(
                    destination: ExportDestination(settings, .metrics, at: origin),
                    source: MetricsSource(metrics) { resource.metrics($0.closed()) },
                    interval: interval, report: report(.metrics), reportPartial: reportPartial(.metrics)))
        }
        return exports
    }

    private func report(_ signal: TelemetryFigures.Signal) -> (TelemetryFigures.Result, String) -> Void {
        { result, reason in
            self.counts.withLockedValue { $0.count(result, of: signal) }
            if result != .accepted { self.warn("telemetry was not exported", of: signal, reason) }
        }
    }

    private func reportPartial(_ signal: TelemetryFigures.Signal) -> (PartialSuccess) -> Void {
        { partial in
            guard let rejected = partial.rejected else {
                return self.warn("a receiver's number of rejected items is malformed", of: signal, partial.message)
            }
            // Spans are counted when their body is no longer needed.
            if signal == .metrics { self.counts.withLockedValue { $0.rejected(dataPoints: rejected) } }
            self.warn("telemetry was not accepted completely", of: signal, partial.message, rejected: rejected)
        }
    }

    /// At most once a minute.
    private func warn(
        _ text: Logger.Message, of signal: TelemetryFigures.Signal, _ reason: String, rejected: Int? = nil
    ) {
        guard warnings.isDue(at: .monotonic()) else { return }
        var metadata: Logger.Metadata = [
            "signal": "\(signal.rawValue)", "endpoint": "\(settings.endpoint.address.text)", "reason": "\(reason)",
        ]
        if let rejected { metadata["rejected"] = "\(rejected)" }
        log.warning(text, metadata: metadata)
    }
}

extension WallClock {
    /// As the system's clocks are now.
    fileprivate static var current: WallClock {
        WallClock(nanosecondsSince1970: Timestamp.nanosecondsSince1970(), at: .monotonic())
    }
}
