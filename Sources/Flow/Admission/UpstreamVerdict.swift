/// The verdict of a request on its upstream, for the upstream's breaker.
package enum UpstreamVerdict: Equatable, Sendable {
    case failed, succeeded
    /// The request shows only what the client or weir did.
    case neither

    /// The facts about a request that has ended.
    package struct Facts: Equatable, Sendable {
        package let outcome: Outcome
        /// The status of the upstream's response; `nil` before there was one.
        package let status: Int?
        /// Whether a timeout was caused by the upstream: it did not connect, did not begin to respond, or stopped
        /// sending.
        ///
        /// A pause that lasted too long, and the limit of the whole stream, are not caused by it.
        package let hasUpstreamFallenSilent: Bool
        /// Whether a kept connection was closed after the request was sent and before a response.
        ///
        /// Each side may close an idle connection at any time (RFC 9112, section 9.5).
        package let wasClosedWhileIdle: Bool
        /// Records that were delivered to the client.
        package let records: Int

        package init(
            outcome: Outcome, status: Int?, hasUpstreamFallenSilent: Bool = false, wasClosedWhileIdle: Bool = false,
            records: Int = 0
        ) {
            self.outcome = outcome
            self.status = status
            self.hasUpstreamFallenSilent = hasUpstreamFallenSilent
            self.wasClosedWhileIdle = wasClosedWhileIdle
            self.records = records
        }
    }

    /// The verdict of a request that has ended.
    ///
    /// A status alone is no success: a stream that its client left early counts as a success only if it had delivered
    /// the records of a probe.
    ///
    /// - Parameters:
    ///   - facts: How the request ended.
    ///   - probeRecords: Records that prove an upstream; the shell may report `succeeded` as soon as they were
    ///     delivered, and still call this at the end.
    package init(_ facts: Facts, probeRecords: Int) {
        let isProven = facts.records >= max(1, probeRecords)
        self =
            switch facts.outcome {
            case _ where facts.status.map(Self.isFailure(status:)) ?? false: .failed
            case .upstreamFailed where facts.wasClosedWhileIdle: .neither
            case .upstreamFailed: .failed
            case .upstreamTimeout where facts.hasUpstreamFallenSilent: .failed
            case .completed: .succeeded
            case .upstreamTimeout, .clientGone, .slowConsumer, .cancelled, .drained, .refused:
                isProven ? .succeeded : .neither
            }
    }

    /// Whether a status is a failure of the upstream: 5xx, except 501 and 505.
    ///
    /// Those two are about the request's method and version, so that a client could open the breaker for all others.
    /// (HAProxy's `observe layer7` excludes the same two.)
    package static func isFailure(status: Int) -> Bool {
        (500...599).contains(status) && status != 501 && status != 505
    }
}
