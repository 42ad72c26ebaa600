package import Flow
package import Observability

/// The requests that are counted: those that match every given part, each by any one of its values.
package struct LogFilter: Sendable {
    /// The earliest end.
    package var since: Timestamp?
    /// Names as in the log; `-` is for requests without a route.
    package var routes: Set<String>
    package var clients: Set<String>
    package var reasons: Set<Outcome>
    package var causes: Set<UpstreamCause>

    package init(
        since: Timestamp? = nil, routes: Set<String> = [], clients: Set<String> = [], reasons: Set<Outcome> = [],
        causes: Set<UpstreamCause> = []
    ) {
        self.since = since
        self.routes = routes
        self.clients = clients
        self.reasons = reasons
        self.causes = causes
    }

    func admits(_ line: LogLine) -> Bool {
        if let since, line.time.millisecondsSince1970 < since.millisecondsSince1970 { return false }
        if !routes.isEmpty, !routes.contains(line.route ?? LogTally.noRoute) { return false }
        if !clients.isEmpty, !clients.contains(line.client) { return false }
        if !reasons.isEmpty, !(line.reason.map(reasons.contains) ?? false) { return false }
        return causes.isEmpty || (line.cause.map(causes.contains) ?? false)
    }
}
