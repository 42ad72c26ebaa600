package import Flow
import HTTPText

/// The sums of the requests of a route, of a client or of all.
package struct Figures: Equatable, Sendable {
    /// All that ended, refusals included.
    package private(set) var requests = 0
    /// The requests that were streams, with terms.
    package private(set) var streams = 0
    package private(set) var records = 0
    package private(set) var bytes = 0
    /// The total time of the streams.
    package private(set) var streamMicroseconds = 0
    /// The maximum number of queued records of one stream.
    package private(set) var bufferPeak = 0
    package private(set) var dropped = 0
    package private(set) var pauses = 0
    package private(set) var pausedMicroseconds = 0
    private var durations = DurationHistogram()
    private var ends = Counts<Outcome>()
    private var refusals = Counts<Problem.Kind>()
    private var responses = StatusCounts()
    private var causes = Counts<UpstreamCause>()

    /// What is counted, in display order; `nil` is for values that this version does not know.
    static let reasons: [Outcome?] = Outcome.allCases + [nil]
    static let problems: [Problem.Kind?] = Problem.Kind.allCases + [nil]
    static let causes: [UpstreamCause?] = UpstreamCause.allCases + [nil]

    package init() {}

    /// Counts one request.
    package mutating func add(_ line: LogLine) {
        requests += 1
        if let records = line.records {
            streams += 1
            self.records.addUpToMost(records)
            streamMicroseconds.addUpToMost(line.microseconds)
        }
        bytes.addUpToMost(line.bytes)
        bufferPeak = max(bufferPeak, line.bufferPeak)
        dropped.addUpToMost(line.dropped)
        pauses.addUpToMost(line.pauses)
        pausedMicroseconds.addUpToMost(line.pausedMicroseconds)
        ends.add(line.reason)
        responses.add(line.status)
        if line.hasCause { causes.add(line.cause) }
        if line.isRefusal { refusals.add(line.problem) }
        if line.reason != .refused { durations.add(line.microseconds) }
    }

    /// Adds the sums of other requests.
    mutating func add(_ other: Figures) {
        requests += other.requests
        streams += other.streams
        records.addUpToMost(other.records)
        bytes.addUpToMost(other.bytes)
        streamMicroseconds.addUpToMost(other.streamMicroseconds)
        bufferPeak = max(bufferPeak, other.bufferPeak)
        dropped.addUpToMost(other.dropped)
        pauses.addUpToMost(other.pauses)
        pausedMicroseconds.addUpToMost(other.pausedMicroseconds)
        durations.add(other.durations)
        ends.add(other.ends)
        refusals.add(other.refusals)
        responses.add(other.responses)
        causes.add(other.causes)
    }

    /// Of the requests that were not refused; exact to 0.8 %, in microseconds.
    package func duration(percentile: Double) -> Int? { durations.percentile(percentile) }

    /// The number of requests with this end; `nil` is every reason that this version does not know.
    package func ended(_ reason: Outcome?) -> Int { ends[reason] }

    /// The number of requests with this problem; `nil` is no type, or one that this version does not know.
    package func refused(_ problem: Problem.Kind?) -> Int { refusals[problem] }

    /// The number of requests whose upstream failed for this cause; `nil` is every cause that this version does not know.
    package func failed(_ cause: UpstreamCause?) -> Int { causes[cause] }

    /// The number of responses with each status code that occurs, in ascending order.
    package var statuses: [(code: Int, count: Int)] { responses.counts }

    /// The number of responses with this status code.
    func answered(_ status: Int) -> Int { responses[status] }

    /// Records per second of a stream while it was open; zero if there was none.
    package var recordsPerSecond: Double { Self.rate(records, in: streamMicroseconds) }

    /// Records per second of all streams together, over a period.
    package func recordsPerSecond(over microseconds: Int) -> Double { Self.rate(records, in: microseconds) }

    private static func rate(_ records: Int, in microseconds: Int) -> Double {
        microseconds > 0 ? Double(records) * 1_000_000 / Double(microseconds) : 0
    }
}
