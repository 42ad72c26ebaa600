import Observability

/// Counts the lines of access logs, in any order.
///
/// The memory is bounded for any input: by ``Limits``, and by 60 KiB for each name that is kept
/// (``DurationHistogram``, ``StatusCounts``).
package struct LogTally {
    /// The number of names that are kept.
    package struct Limits: Sendable {
        /// Also of upstreams.
        package var routes: Int
        package var clients: Int

        /// Far more routes than a configuration has, and clients for some hundred megabytes.
        package init(routes: Int = 1000, clients: Int = 100_000) {
            self.routes = routes
            self.clients = clients
        }
    }

    /// The name of requests that no route matched.
    package static let noRoute = "-"

    private let filter: LogFilter
    private var parser = LogLineParser()
    private var lines = LineCounts()
    private var routes: Groups
    private var clients: Groups
    /// Requests that were sent to an upstream.
    private var upstreams: Groups
    /// By the hour of the day of their ends, in UTC.
    private var hours = Array(repeating: Figures(), count: 24)
    private var earliest = Timestamp(millisecondsSince1970: .max)
    private var latest = Timestamp(millisecondsSince1970: .min)

    package init(filter: LogFilter = LogFilter(), limits: Limits = Limits()) {
        self.filter = filter
        routes = Groups(limit: limits.routes)
        clients = Groups(limit: limits.clients)
        upstreams = Groups(limit: limits.routes)
    }

    /// Counts one line without its newline; an empty one is not a log line.
    package mutating func add(_ line: UnsafeRawBufferPointer) {
        lines.all += 1
        switch parser.parse(line) {
        case .end(let line) where filter.admits(line): count(line)
        case .end: lines.filteredOut += 1
        case .passedOver: lines.passedOver += 1
        case .unknown: lines.unknown += 1
        }
    }

    /// The summary of all lines so far.
    ///
    /// - Parameter top: The number of routes and clients with a row of their own.
    /// - Returns: A snapshot; more lines may be counted after it.
    package func report(top: Int) -> LogReport {
        let period = lines.counted > 0 ? LogReport.Period(from: earliest, to: latest) : nil
        return LogReport(
            period: period, lines: lines, totals: routes.sum,
            routes: LogReport.Ranking(routes, top: top), clients: LogReport.Ranking(clients, top: top),
            upstreams: LogReport.Ranking(upstreams, top: top), hours: hours)
    }

    private mutating func count(_ line: LogLine) {
        lines.counted += 1
        routes.add(line, to: line.route ?? Self.noRoute)
        clients.add(line, to: line.client)
        if let upstream = line.upstream { upstreams.add(line, to: upstream) }
        hours[line.time.hourOfDay].add(line)
        if line.began.millisecondsSince1970 < earliest.millisecondsSince1970 { earliest = line.began }
        if line.time.millisecondsSince1970 > latest.millisecondsSince1970 { latest = line.time }
    }
}

extension Timestamp {
    /// The hour of the day in UTC, from 0 to 23.
    fileprivate var hourOfDay: Int {
        let hours = millisecondsSince1970 / 3_600_000
        return Int(hours % 24 + 24) % 24
    }
}
