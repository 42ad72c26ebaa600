/// What proxy and client agreed on for one stream.
package struct Terms: Equatable, Sendable {
    package var pace: Pace
    /// Records that may leave back to back after a quiet time; 1 is none.
    package var burst: Int
    /// Records that the proxy may hold for this client.
    package var buffer: Int
    /// The most bytes that those records may take.
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
