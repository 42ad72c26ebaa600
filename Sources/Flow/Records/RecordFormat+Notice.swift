extension RecordFormat {
    /// Makes a record of weir's own, for clients that requested notices.
    ///
    /// As an event it has a type of its own, so that a listener for `message` does not receive it, and no `id`, so that
    /// the last id of the upstream stays valid.
    ///
    /// - Parameter json: One line of JSON.
    /// - Returns: A whole record.
    package func notice(_ json: String) -> String {
        switch self {
        case .ndjson: "\(json)\n"
        case .sse: "event: stream-notice\ndata: \(json)\n\n"
        case .jsonSequence: "\u{1E}\(json)\n"
        }
    }
}
