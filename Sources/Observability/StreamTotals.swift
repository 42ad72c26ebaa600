package import Flow

/// The counts of a request so far.
package struct StreamTotals: Equatable, Sendable {
    /// Of the response; `nil` before there is one.
    package var status: Int?
    /// The upstream's address; `nil` if none was selected.
    package var upstream: String?
    /// The number of upstreams that were tried, the last of them ``upstream``.
    package var attempts = 0
    /// `nil` if the response is no stream; then nothing that is counted in records is logged.
    package var terms: Terms?
    /// Records written to the client.
    package var records: Int
    /// Units that these records weigh; `nil` if each counts as one.
    package var units: Int?
    /// Bytes of the body written to the client.
    package var bytes: ByteCount
    /// Since the request was read.
    package var lasted: Duration
    /// The maximum number of queued records.
    package var bufferPeak: Int
    /// The number of the upstream's pauses, and their total time.
    package var pauses: Int
    package var paused: Duration
    /// Records that the overflow policy dropped.
    package var dropped = 0
    /// The number of feedbacks, and the total time for which the client stopped its own stream.
    package var feedbacks = 0
    package var held = Duration.zero
    /// The number of times the client resumed the stream.
    package var resumptions = 0
    /// The refusals and ends that would have happened without a dry run.
    package var dryRuns: [Problem.Kind] = []
    /// Why the granted rate was not applied; `nil` if it was, or if there was none.
    package var unmetered: UnmeteredCause?

    package init(
        status: Int? = nil, upstream: String? = nil, terms: Terms? = nil, records: Int = 0, bytes: ByteCount = .zero,
        lasted: Duration = .zero, bufferPeak: Int = 0, pauses: Int = 0, paused: Duration = .zero
    ) {
        self.status = status
        self.upstream = upstream
        self.terms = terms
        self.records = records
        self.bytes = bytes
        self.lasted = lasted
        self.bufferPeak = bufferPeak
        self.pauses = pauses
        self.paused = paused
    }

    /// Zero before any time has passed.
    package var recordsPerSecond: Double {
        lasted > .zero ? Double(records) / lasted.inSeconds : 0
    }
}
