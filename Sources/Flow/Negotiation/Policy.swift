/// The terms that a route allows its clients, and its defaults.
package struct Policy: Equatable, Sendable {
    /// How a malformed negotiation header is handled.
    package enum Strictness: String, Equatable, Sendable, CaseIterable {
        /// Status 400, with the header's name.
        case strict
        /// The header is ignored.
        case lenient
    }

    /// How a preference above the maximum is handled.
    package enum OverLimit: String, Equatable, Sendable, CaseIterable {
        /// The client gets the maximum.
        case clamp
        /// Status 429.
        case reject
    }

    package var defaultPace: Pace
    package var maximumPace: Pace
    /// Records that may be sent back to back after an idle time; 1 is no burst.
    package var burst: Int
    package var defaultBuffer: Int
    package var maximumBuffer: Int
    /// The maximum bytes of a stream's queue.
    package var maximumBytes: ByteCount
    /// A longer record is an error of the upstream.
    package var maximumRecordBytes: ByteCount
    package var strictness: Strictness
    package var overLimit: OverLimit

    package init(
        defaultPace: Pace = .unlimited, maximumPace: Pace = .unlimited, burst: Int = 1, defaultBuffer: Int = 100,
        maximumBuffer: Int = 1000, maximumBytes: ByteCount = .mebibytes(1),
        maximumRecordBytes: ByteCount = .kibibytes(256), strictness: Strictness = .strict,
        overLimit: OverLimit = .clamp
    ) {
        self.defaultPace = defaultPace
        self.maximumPace = maximumPace
        self.burst = burst
        self.defaultBuffer = defaultBuffer
        self.maximumBuffer = maximumBuffer
        self.maximumBytes = maximumBytes
        self.maximumRecordBytes = maximumRecordBytes
        self.strictness = strictness
        self.overLimit = overLimit
    }
}
