import OTLP

/// What a signal exports.
protocol ExportSource: AnyObject {
    /// Collects the next body.
    ///
    /// - Parameter done: Called once, on the loop; with `nil` if there is nothing, or if it cannot be collected.
    func collect(_ done: @escaping (ExportBody?) -> Void)

    /// The body that was collected last is no longer needed.
    func ended(_ body: ExportBody, wasDelivered: Bool)
}

struct ExportBody {
    /// JSON, maybe in gzip.
    private(set) var bytes: [UInt8]
    private(set) var isCompressed = false
    /// The number of its spans, or 0.
    let spans: Int
    /// The number of spans that the receiver rejected when it accepted the others.
    private(set) var rejectedSpans = 0
    /// Whether there is more than fits into it.
    let hasMore: Bool

    init(json: [UInt8], spans: Int = 0, hasMore: Bool = false) {
        (bytes, self.spans, self.hasMore) = (json, spans, hasMore)
    }

    /// The receiver accepted a part of it; if the number of the rejected spans is malformed, none counts as exported.
    mutating func wasRejected(_ partial: PartialSuccess) { rejectedSpans = min(partial.rejected ?? spans, spans) }

    /// Compresses it, if there is memory for that.
    mutating func compress() {
        guard let compressed = bytes.gzip() else { return }
        (bytes, isCompressed) = (compressed, true)
    }
}
