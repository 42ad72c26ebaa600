package import Flow
package import Observability

/// What a line of the access log says of a request that has ended, as far as a report counts it.
package struct LogLine: Equatable, Sendable {
    package var time: Timestamp
    package var client: String
    /// `nil` where no route matched.
    package var route: String?
    /// `nil` for a word that this version does not know.
    package var reason: Outcome?
    /// What was wrong; `nil` for a type that this version does not know, too.
    package var problem: Problem.Kind?
    /// Of the response; 0 where there was none.
    package var status: Int
    /// Records written to the client; `nil` for what was no stream.
    package var records: Int?
    package var bytes: Int
    package var microseconds: Int
    package var bufferPeak: Int
    package var dropped: Int
    package var pauses: Int
    package var pausedMicroseconds: Int

    package init(
        time: Timestamp, client: String, route: String? = nil, reason: Outcome?, problem: Problem.Kind? = nil,
        status: Int = 0, records: Int? = nil, bytes: Int = 0, microseconds: Int = 0, bufferPeak: Int = 0,
        dropped: Int = 0, pauses: Int = 0, pausedMicroseconds: Int = 0
    ) {
        self.time = time
        self.client = client
        self.route = route
        self.reason = reason
        self.problem = problem
        self.status = status
        self.records = records
        self.bytes = bytes
        self.microseconds = microseconds
        self.bufferPeak = bufferPeak
        self.dropped = dropped
        self.pauses = pauses
        self.pausedMicroseconds = pausedMicroseconds
    }

    /// Whether it was answered with a problem: at the door, or because the upstream had no answer for it.
    package var isRefusal: Bool { reason == .refused || (problem != nil && status >= 400 && records == nil) }

    /// When the request was read.
    var began: Timestamp { Timestamp(millisecondsSince1970: time.millisecondsSince1970 - Int64(microseconds / 1000)) }
}

/// What one line of a file is.
package enum LogLineKind: Equatable, Sendable {
    case end(LogLine)
    /// It tells of a start or of progress; the end will tell the whole.
    case passedOver
    /// It was not written by weir, or not whole.
    case unknown
}
