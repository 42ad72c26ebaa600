/// What is known of one upstream from the requests that it got; the state of its breaker is in ``UpstreamPool``.
package struct UpstreamFigures: Equatable, Sendable {
    /// The interval of the log lines about its failures.
    private static let logInterval = Duration.seconds(60)
    /// Of a new first-byte time in the average of them.
    private static let weight = 0.125

    /// Attempts that failed.
    package private(set) var failures = 0
    package private(set) var lastFailure: UpstreamFailure?
    package private(set) var failedAt: Instant?
    /// Heads of responses.
    package private(set) var heads = 0
    /// The sum of their times from the request.
    package private(set) var waited = Duration.zero
    /// An average of these times in which the last ones count most; `nil` before the first.
    package private(set) var firstByte: Duration?
    private var unlogged = 0
    private var nextLog = Instant.distantPast

    package init() {}

    /// A response has begun.
    package mutating func headArrived(after time: Duration) {
        heads += 1
        waited += time
        firstByte = firstByte.map { $0 + (time - $0) * Self.weight } ?? time
    }

    /// An attempt has failed.
    ///
    /// - Returns: The failures since the last log line, this one included, if another line is due; else `nil`.
    package mutating func failed(_ failure: UpstreamFailure, at now: Instant) -> Int? {
        failures += 1
        unlogged += 1
        (lastFailure, failedAt) = (failure, now)
        guard now >= nextLog else { return nil }
        defer { unlogged = 0 }
        nextLog = now + Self.logInterval
        return unlogged
    }
}
