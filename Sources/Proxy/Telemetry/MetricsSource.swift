import NIOCore
import OTLP

/// Collects the metrics of all event loops.
final class MetricsSource: ExportSource {
    private let metrics: @Sendable () -> EventLoopFuture<MetricsBody>
    private let encode: (MetricsBody) -> [UInt8]

    /// - Parameters:
    ///   - metrics: Collects them; the result is on the exporter's loop.
    ///   - encode: Makes a body.
    init(
        _ metrics: @escaping @Sendable () -> EventLoopFuture<MetricsBody>,
        encode: @escaping (MetricsBody) -> [UInt8]
    ) {
        (self.metrics, self.encode) = (metrics, encode)
    }

    func collect(_ done: @escaping (ExportBody?) -> Void) {
        let metrics = metrics()
        metrics.assumeIsolated().whenComplete { [encode] result in
            done((try? result.get()).map { ExportBody(json: encode($0)) })
        }
    }

    /// The next body has the same counts, and newer ones.
    func ended(_ body: ExportBody, wasDelivered: Bool) {}
}
