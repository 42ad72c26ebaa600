package import Flow

/// What one event loop has counted for one route; the metrics are the sum over the loops.
package struct RouteTally: Equatable, Sendable {
    /// Why records that the upstream sent never reached the client.
    package enum RecordFailure: String, Sendable, CaseIterable {
        /// By the route's overflow policy.
        case dropped
        /// Longer than the route allows.
        case oversized
        /// Queued when the stream ended.
        case undelivered
    }

    package enum Disconnect: String, Sendable, CaseIterable {
        case gone
        case slowConsumer = "slow_consumer"
        /// The client lost its connection and may come back for the rest.
        case resumable
    }

    /// What the streams that run now hold, and have counted so far of what is told at their end.
    package struct Running: Equatable, Sendable {
        package var records = 0, bytes = 0
        /// What they were granted.
        package var recordCapacity = 0, byteCapacity = 0
        /// Those that the upstream still answers.
        package var transfers = 0
        /// Connections to the upstream that wait for the next request.
        package var idleConnections = 0
        package var dropped = 0
        package var paused = Duration.zero

        package init() {}

        package static func += (left: inout Running, right: Running) {
            left.records += right.records
            left.bytes += right.bytes
            left.recordCapacity += right.recordCapacity
            left.byteCapacity += right.byteCapacity
            left.transfers += right.transfers
            left.idleConnections += right.idleConnections
            left.dropped += right.dropped
            left.paused += right.paused
        }
    }

    package var active = 0
    /// Those that left, of running streams too.
    package var records = 0, bytes = 0
    package var outcomes = CaseCounts<Outcome>()
    package var durations = Histogram(bounds: Histogram.streamBounds)
    package var failed = CaseCounts<RecordFailure>()
    package var disconnects = CaseCounts<Disconnect>()
    package var pauses = CaseCounts<PauseLog.Cause>()
    package var paused = Duration.zero
    package var refusals = CaseCounts<Problem.Kind>()
    /// Responses to which the granted rate was not applied.
    package var unmetered = CaseCounts<UnmeteredCause>()
    /// Requests that were sent to another upstream because the first one failed.
    package var retries = 0
    /// Ends that are the upstream's or the proxy's fault, for the error rate.
    package private(set) var faults = 0
    package var running = Running()

    package init() {}

    /// A request was refused before anything was opened for it, with a body of so many bytes.
    package mutating func refused(_ kind: Problem.Kind, bytes: ByteCount) {
        refusals[kind] += 1
        self.bytes += bytes.bytes
        outcomes[.refused] += 1
        if kind == .unavailable { faults += 1 }
    }

    /// A stream ended.
    package mutating func ended(_ outcome: Outcome, lasted: Duration) {
        outcomes[outcome] += 1
        durations.observe(lasted)
        if outcome == .upstreamFailed || outcome == .upstreamTimeout { faults += 1 }
    }

    package static func += (left: inout RouteTally, right: RouteTally) {
        left.active += right.active
        left.records += right.records
        left.bytes += right.bytes
        left.outcomes += right.outcomes
        left.durations += right.durations
        left.failed += right.failed
        left.disconnects += right.disconnects
        left.pauses += right.pauses
        left.paused += right.paused
        left.refusals += right.refusals
        left.unmetered += right.unmetered
        left.retries += right.retries
        left.faults += right.faults
        left.running += right.running
    }
}
