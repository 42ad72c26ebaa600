/// What a route allows its clients to ask for, and what they get when they do not ask.
package struct Policy: Equatable, Sendable {
    /// What becomes of a malformed negotiation header.
    package enum Strictness: String, Equatable, Sendable, CaseIterable {
        /// 400, naming the header.
        case strict
        /// As if the header had not been sent.
        case lenient
    }

    /// What becomes of a client that asks for more than the maximum.
    package enum OverLimit: String, Equatable, Sendable, CaseIterable {
        /// It gets the maximum.
        case clamp
        /// It gets 429.
        case reject
    }

    package var defaultPace: Pace
    package var maximumPace: Pace
    /// Records that may leave back to back after a quiet time; 1 is none.
    package var burst: Int
    package var defaultBuffer: Int
    package var maximumBuffer: Int
    /// The most bytes that a stream's queue holds.
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
