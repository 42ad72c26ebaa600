package import Flow
package import Observability

/// The fields of an access log line at a request's end that a report uses.
package struct LogLine: Equatable, Sendable {
    package var time: Timestamp
    package var client: String
    /// `nil` if no route matched.
    package var route: String?
    /// The address of the upstream; `nil` if no request was sent to one.
    package var upstream: String?
    /// `nil` for a word that this version does not know.
    package var reason: Outcome?
    /// The problem that was sent; also `nil` for a type that this version does not know.
    package var problem: Problem.Kind?
    /// Whether the upstream failed.
    package var hasCause: Bool
    /// Why the upstream failed; also `nil` for a word that this version does not know.
    package var cause: UpstreamCause?
    /// Of the response; 0 if there was none.
    package var status: Int
    /// Records written to the client; `nil` if the response was no stream.
    package var records: Int?
    package var bytes: Int
    package var microseconds: Int
    package var bufferPeak: Int
    package var dropped: Int
    package var pauses: Int
    package var pausedMicroseconds: Int

    package init(
        time: Timestamp, client: String, route: String? = nil, upstream: String? = nil, reason: Outcome?,
        problem: Problem.Kind? = nil, hasCause: Bool = false, cause: UpstreamCause? = nil, status: Int = 0,
        records: Int? = nil, bytes: Int = 0, microseconds: Int = 0, bufferPeak: Int = 0, dropped: Int = 0,
        pauses: Int = 0, pausedMicroseconds: Int = 0
    ) {
        self.time = time
        self.client = client
        self.route = route
        self.upstream = upstream
        self.reason = reason
        self.problem = problem
        (self.hasCause, self.cause) = (hasCause || cause != nil, cause)
        self.status = status
        self.records = records
        self.bytes = bytes
        self.microseconds = microseconds
        self.bufferPeak = bufferPeak
        self.dropped = dropped
        self.pauses = pauses
        self.pausedMicroseconds = pausedMicroseconds
    }

    /// Whether the response was a problem: a refusal, or because the upstream did not respond.
    package var isRefusal: Bool { reason == .refused || (problem != nil && status >= 400 && records == nil) }

    /// When the request was read; not before the year 0, which no timestamp can show (RFC 3339, section 1).
    var began: Timestamp {
        Timestamp(
            millisecondsSince1970: max(
                Self.yearZero, time.millisecondsSince1970 - Int64(microseconds / 1000)))
    }

    private static let yearZero: Int64 = -62_167_219_200_000
}

/// The kind of one line of a file.
package enum LogLineKind: Equatable, Sendable {
    case end(LogLine)
    /// A line about a start or progress; the line at the end contains all of it.
    case passedOver
    /// Not written by weir, or incomplete.
    case unknown
}
