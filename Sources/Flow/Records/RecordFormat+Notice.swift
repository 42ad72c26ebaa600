extension RecordFormat {
    /// Makes a record of weir's own, for clients that asked for notices.
    ///
    /// Among events it has a type of its own, so that who listens for `message` does not take it for one, and no `id`, so
    /// that the last one of the upstream's stays.
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
