import OTLP

/// Collects the spans of all event loops, a body after the other.
final class SpanSource: ExportSource {
    /// The spans of one body; the standard of OpenTelemetry's batch processor.
    private static let mostSpans = 512

    private let buffers: () -> [SpanBuffer]
    private let encode: ([Span]) -> [UInt8]
    private let count: (TelemetryFigures.SpanResult, Int) -> Void
    /// Taken from the buffers for the next bodies, at most what they hold.
    private var pending: ArraySlice<Span> = []

    /// - Parameters:
    ///   - buffers: Returns those of all loops.
    ///   - encode: Makes a body.
    ///   - count: Called with the number of spans for which a result is known.
    init(
        buffers: @escaping () -> [SpanBuffer], encode: @escaping ([Span]) -> [UInt8],
        count: @escaping (TelemetryFigures.SpanResult, Int) -> Void
    ) {
        (self.buffers, self.encode, self.count) = (buffers, encode, count)
    }

    func collect(_ done: @escaping (ExportBody?) -> Void) {
        let isRest = !pending.isEmpty
        if !isRest { pending = buffers().flatMap { $0.takeAll().flatMap(\.spans) }[...] }
        guard !pending.isEmpty else { return done(nil) }
        let spans = Array(pending.prefix(Self.mostSpans))
        pending = pending.dropFirst(Self.mostSpans)
        // After the rest of what was taken, the buffers may have more: what was added last must not wait when weir stops.
        done(ExportBody(json: encode(spans), spans: spans.count, hasMore: isRest || !pending.isEmpty))
    }

    func ended(_ body: ExportBody, wasDelivered: Bool) {
        guard wasDelivered else { return count(.lost, body.spans) }
        count(.exported, body.spans - body.rejectedSpans)
        count(.rejected, body.rejectedSpans)
    }
}
