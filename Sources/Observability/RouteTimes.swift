package import Flow

/// How long the requests of a route took, streams apart from the others: a stream lasts as long as it likes, and would
/// distort every percentile of the rest.
package struct RouteTimes: Equatable, Sendable {
    /// From the request to the end of its stream.
    package private(set) var streams = Histogram(bounds: Histogram.streamBounds)
    /// From a stream's request to its first record.
    package private(set) var firstRecords = Histogram(bounds: Histogram.requestBounds)
    /// From the request to its end, if its response is no stream.
    package private(set) var requests = Histogram(bounds: Histogram.requestBounds)
    /// From the request to the head of a response that is no stream.
    package private(set) var firstBytes = Histogram(bounds: Histogram.requestBounds)
    /// From the time at which a record was due by its pace to the time at which it was sent.
    package private(set) var lateness = Histogram(bounds: Histogram.lagBounds)

    /// A request that began at `began` has ended.
    package mutating func ended(isStream: Bool, from began: Instant, to now: Instant) {
        if isStream { streams.observe(from: began, to: now) } else { requests.observe(from: began, to: now) }
    }

    /// The head of a response that is no stream was passed on.
    package mutating func headSent(from began: Instant, to now: Instant) { firstBytes.observe(from: began, to: now) }

    /// The first record of a stream was sent.
    package mutating func firstRecordSent(from began: Instant, to now: Instant) {
        firstRecords.observe(from: began, to: now)
    }

    /// A record that was due at `due` was sent, alone or with others that were due after it.
    package mutating func pacedRecordSent(due: Instant, at now: Instant) { lateness.observe(from: due, to: now) }

    package static func += (left: inout RouteTimes, right: RouteTimes) {
        left.streams += right.streams
        left.firstRecords += right.firstRecords
        left.requests += right.requests
        left.firstBytes += right.firstBytes
        left.lateness += right.lateness
    }
}
