package import Flow

/// Everything about one stream that operators may see.
package struct StreamReport: Sendable {
    package var summary: StreamSummary
    /// Without its query, as in the access log.
    package var path: String
    /// The address of its upstream; `nil` if none was requested.
    package var upstream: String?
    package var dropped: Int
    package var resumptions: Int
    package var pauseCount: Int
    /// The last pauses of its upstream.
    package var pauses: [PauseLog.Pause]
    package var began: Instant
}
