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
    let json: [UInt8]
    /// The number of its spans, or 0.
    var spans = 0
    /// Whether there is more than fits into it.
    var hasMore = false
}
