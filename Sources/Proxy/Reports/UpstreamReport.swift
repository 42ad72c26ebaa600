package import Flow

/// One upstream of a route, for operators.
package struct UpstreamReport: Sendable {
    package enum State: String, Sendable, CaseIterable {
        case up
        /// It fails its health checks.
        case down
        /// Its breaker is open.
        case ejected
        /// An operator has drained it.
        case drained
    }

    package var route: String
    package var name: String
    package var state: State
    /// Open requests, and all since the start.
    package var openRequests: Int
    package var requests: Int
    /// Its failures and its first-byte times since the start.
    package var figures: UpstreamFigures
}

extension ProxyRoute {
    /// The upstreams in the order of the configuration.
    func upstreamReports(at now: Instant) -> [UpstreamReport] {
        let statuses = gate.withState { $0.upstreams.statuses(at: now) }
        return zip(upstreams, statuses).map { upstream, status in
            UpstreamReport(
                route: name, name: status.name, state: UpstreamReport.State(status), openRequests: status.openRequests,
                requests: status.requests, figures: upstream.history.figures)
        }
    }
}

extension UpstreamReport.State {
    /// Of several causes the one that an operator has to change first.
    init(_ status: UpstreamPool.Status) {
        self =
            if status.isDrained { .drained } else if status.isDown == true { .down } else if status.state == .open {
                .ejected
            } else { .up }
    }
}
