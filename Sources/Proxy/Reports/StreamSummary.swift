package import Flow

/// The state of one stream as an operator's overview shows it.
package struct StreamSummary: Sendable {
    /// The text of its ``StreamHandle``.
    package var handle: String
    package var route: String
    package var client: String
    /// The name of the client's tier; `nil` if it has none.
    package var tier: String?
    package var records: Int
    package var bytes: Int
    package var rate: String
    package var buffer: Int
    package var bufferRecords: Int
    package var status: StreamStatus
    /// The filled part of its queue, from 0 to 1.
    package var fill: Double
    /// How long its upstream has been paused, in all.
    package var paused: Duration
    package var lasted: Duration

    /// Whether it is slower: its queue is fuller, or equally full for longer.
    func isSlower(than other: StreamSummary) -> Bool { (fill, paused) > (other.fill, other.paused) }
}
