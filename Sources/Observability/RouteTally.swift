package import Flow
import HTTPText

/// The counts of one event loop for one route; the metrics are the sum over the loops.
package struct RouteTally: Equatable, Sendable {
    /// Why records of the upstream did not reach the client.
    package enum RecordFailure: String, Sendable, CaseIterable {
        /// By the route's overflow policy, or because they were no longer retained for the reader of a shared stream.
        case dropped
        /// Longer than the route allows.
        case oversized
        /// Queued when the stream ended.
        case undelivered
    }

    package enum Disconnect: String, Sendable, CaseIterable {
        case gone
        case slowConsumer = "slow_consumer"
        /// The client lost its connection and may resume the stream.
        case resumable
    }

    /// The buffers of the open streams, and their counts that are otherwise added at the end.
    package struct Running: Equatable, Sendable {
        package var records = 0, bytes = 0
        /// The granted buffers.
        package var recordCapacity = 0, byteCapacity = 0
        /// Streams whose upstream has not ended.
        package var transfers = 0
        /// Idle connections to the upstream.
        package var idleConnections = 0
        package var dropped = 0
        /// Of records with weights.
        package var units = 0
        package var paused = Duration.zero
        /// Requests that several clients share, their clients, and the memory of what is retained for them.
        package var pulls = 0, readers = 0, retainedBytes = 0
        /// The most records by which a reader is behind its pull.
        package var lag = 0

        package init() {}

        package static func += (left: inout Running, right: Running) {
            left.records += right.records
            left.bytes += right.bytes
            left.recordCapacity += right.recordCapacity
            left.byteCapacity += right.byteCapacity
            left.transfers += right.transfers
            left.idleConnections += right.idleConnections
            left.dropped += right.dropped
            left.units.addUpToMost(right.units)
            left.paused += right.paused
            left.pulls += right.pulls
            left.readers += right.readers
            left.retainedBytes += right.retainedBytes
            left.lag = max(left.lag, right.lag)
        }
    }

    package var active = 0
    /// Sent records and bytes, those of open streams included.
    package var records = 0, bytes = 0
    /// Units of the records of ended streams with weights.
    package var units = 0
    package var outcomes = CaseCounts<Outcome>()
    package var times = RouteTimes()
    /// Responses that were begun, those of weir's own included.
    package var responses = ResponseCodes()
    package var failed = CaseCounts<RecordFailure>()
    package var disconnects = CaseCounts<Disconnect>()
    package var pauses = CaseCounts<PauseLog.Cause>()
    package var paused = Duration.zero
    package var refusals = CaseCounts<Problem.Kind>()
    /// Responses to which the granted rate was not applied.
    package var unmetered = CaseCounts<UnmeteredCause>()
    /// Clients that were assigned to a tier that the route does not have.
    package var unknownTiers = 0
    /// Requests that were sent to another upstream because the first one failed.
    package var retries = 0
    /// Gaps of readers of shared streams.
    package var gaps = 0
    /// Requests on routes with `shared` that were not shared.
    package var sharingRefusals = CaseCounts<SharingRefusal>()
    /// Ends because of the upstream or the proxy, for the error rate.
    package private(set) var faults = 0
    package var running = Running()

    package init() {}

    /// The units of records of open streams included.
    package var allUnits: Int {
        var all = units
        all.addUpToMost(running.units)
        return all
    }

    /// A request was refused before a stream was opened for it, with a body of this length.
    package mutating func refused(_ kind: Problem.Kind, status: Int, bytes: ByteCount) {
        refusals[kind] += 1
        responses.count(status)
        self.bytes += bytes.bytes
        outcomes[.refused] += 1
        if kind == .unavailable { faults += 1 }
    }

    /// A request that began at `began` ended, as a stream or not.
    package mutating func ended(_ outcome: Outcome, isStream: Bool, from began: Instant, to now: Instant) {
        outcomes[outcome] += 1
        times.ended(isStream: isStream, from: began, to: now)
        if outcome == .upstreamFailed || outcome == .upstreamTimeout { faults += 1 }
    }

    package static func += (left: inout RouteTally, right: RouteTally) {
        left.active += right.active
        left.records += right.records
        left.bytes += right.bytes
        left.units.addUpToMost(right.units)
        left.outcomes += right.outcomes
        left.times += right.times
        left.responses += right.responses
        left.failed += right.failed
        left.disconnects += right.disconnects
        left.pauses += right.pauses
        left.paused += right.paused
        left.refusals += right.refusals
        left.unmetered += right.unmetered
        left.unknownTiers += right.unknownTiers
        left.retries += right.retries
        left.gaps += right.gaps
        left.sharingRefusals += right.sharingRefusals
        left.faults += right.faults
        left.running += right.running
    }
}
