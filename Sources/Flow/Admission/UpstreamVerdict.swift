/// What a request says about its upstream, for the upstream's breaker.
package enum UpstreamVerdict: Equatable, Sendable {
    case failed, succeeded
    /// It tells of the client or of weir alone.
    case neither

    /// What is known of a request when it is over.
    package struct Facts: Equatable, Sendable {
        package let outcome: Outcome
        /// The status of the upstream's answer; `nil` before there was one.
        package let status: Int?
        /// Whether a timeout was the upstream's own: it did not connect, did not begin to answer, or fell silent.
        ///
        /// A pause that lasted too long, and the limit of the whole stream, are not its own.
        package let hasUpstreamFallenSilent: Bool
        /// Whether a connection that was kept for the request was closed before a response to it.
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

    /// The verdict on a request that is over.
    ///
    /// A status alone is no success: a stream that its client left early counts for the upstream only when it had
    /// delivered what a probe must.
    ///
    /// - Parameters:
    ///   - facts: How the request ended.
    ///   - probeRecords: Records by which a stream proves its upstream; the shell may say `succeeded` as soon as they
    ///     were delivered, and still come here at the end.
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

    /// Whether a status is the upstream's fault: 5xx, but for 501 and 505.
    ///
    /// Those two speak of the request's method and version, so that a client could open the breaker for all others.
    /// (HAProxy's `observe layer7` leaves out the same two.)
    package static func isFailure(status: Int) -> Bool {
        (500...599).contains(status) && status != 501 && status != 505
    }
}
