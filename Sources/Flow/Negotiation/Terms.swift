/// The negotiated terms of one stream.
package struct Terms: Equatable, Sendable {
    package var pace: Pace
    /// Records that may be sent back to back after an idle time; 1 is no burst.
    package var burst: Int
    /// Records that the proxy may buffer for this client.
    package var buffer: Int
    /// The maximum bytes of those records.
    package var maximumBytes: ByteCount
    package var maximumRecordBytes: ByteCount

    package init(
        pace: Pace, burst: Int, buffer: Int, maximumBytes: ByteCount, maximumRecordBytes: ByteCount
    ) {
        self.pace = pace
        self.burst = burst
        self.buffer = buffer
        self.maximumBytes = maximumBytes
        self.maximumRecordBytes = maximumRecordBytes
    }
}
