import Observability

/// Counts the lines of access logs, in the order in which they come; the order does not matter.
///
/// Memory is bounded whatever the lines say: by ``Limits``, and 45 KiB for each name that is kept at the very most
/// (``DurationHistogram``).
package struct LogTally {
    /// How many names are kept at a time.
    package struct Limits: Sendable {
        package var routes: Int
        package var clients: Int

        /// Far more routes than a configuration has, and clients for some hundred megabytes.
        package init(routes: Int = 1000, clients: Int = 100_000) {
            self.routes = routes
            self.clients = clients
        }
    }

    /// The name under which requests are told that no route matched.
    package static let noRoute = "-"

    private let filter: LogFilter
    private var parser = LogLineParser()
    private var lines = LineCounts()
    private var routes: Groups
    private var clients: Groups
    private var earliest = Timestamp(millisecondsSince1970: .max)
    private var latest = Timestamp(millisecondsSince1970: .min)

    package init(filter: LogFilter = LogFilter(), limits: Limits = Limits()) {
        self.filter = filter
        routes = Groups(limit: limits.routes)
        clients = Groups(limit: limits.clients)
    }

    /// Counts one line, which comes without its newline; an empty one is none.
    package mutating func add(_ line: UnsafeRawBufferPointer) {
        lines.all += 1
        switch parser.parse(line) {
        case .end(let line) where filter.admits(line): count(line)
        case .end: lines.filteredOut += 1
        case .passedOver: lines.passedOver += 1
        case .unknown: lines.unknown += 1
        }
    }

    /// What all lines so far come to.
    ///
    /// - Parameter top: How many routes and clients are told by name.
    /// - Returns: A snapshot; counting may go on.
    package func report(top: Int) -> LogReport {
        let period = lines.counted > 0 ? LogReport.Period(from: earliest, to: latest) : nil
        return LogReport(
            period: period, lines: lines, totals: routes.sum,
            routes: LogReport.Ranking(routes, top: top), clients: LogReport.Ranking(clients, top: top))
    }

    private mutating func count(_ line: LogLine) {
        lines.counted += 1
        routes.add(line, to: line.route ?? Self.noRoute)
        clients.add(line, to: line.client)
        if line.began.millisecondsSince1970 < earliest.millisecondsSince1970 { earliest = line.began }
        if line.time.millisecondsSince1970 > latest.millisecondsSince1970 { latest = line.time }
    }
}

/// How many lines were what; ``all`` is the sum of the others.
package struct LineCounts: Equatable, Sendable {
    package var all = 0
    package var counted = 0
    /// Of requests that do not fit the filter.
    package var filteredOut = 0
    /// Of starts and progress.
    package var passedOver = 0
    /// No log lines, or torn ones.
    package var unknown = 0
}
