import PlainText

/// The tables of one snapshot, each as a title with one line for each row.
struct SnapshotTables {
    let moment: Moment
    /// Of the trends.
    let bars: Bars
    /// Of the routes.
    let order: Screen.Order

    private static let trendTitle = "last 5 min", trendWidth = 12
    private var snapshot: AdminSnapshot { moment.snapshot }

    /// The tables of a focus; of all tables those that have rows, and that of the routes.
    func tables(of focus: Screen.Focus, columns: Int, hasTrends: Bool) -> [[ScreenLine]] {
        switch focus {
        case .all:
            let others = [
                upstreams(columns: columns), breakers(columns: columns), pulls(columns: columns),
                streams(columns: columns),
            ]
            return [routes(columns: columns, hasTrends: hasTrends)] + others.filter { $0.count > 1 }
        case .routes: return [routes(columns: columns, hasTrends: hasTrends)]
        case .upstreams: return [upstreams(columns: columns)]
        case .breakers: return [breakers(columns: columns)]
        case .shared: return [pulls(columns: columns)]
        case .streams: return [streams(columns: columns)]
        }
    }

    private func routes(columns: Int, hasTrends: Bool) -> [ScreenLine] {
        let routes = sorted(snapshot.routes)
        let table = Table(
            title: "route", names: routes.map { Printable.name($0.route) },
            columns: [
                column("streams", routes) { Printable.count($0.activeStreams) },
                column("records/s", routes) { Printable.rate($0.recordsPerSecond) },
                column("bytes/s", routes) { Printable.bytes($0.bytesPerSecond) },
                column("buffer", routes) { Printable.count($0.bufferRecords) },
                column("refused", routes) { Printable.count($0.refusals) },
            ])
        guard hasTrends else { return Self.headed(table.oneBand(width: columns)) }
        let lines = table.oneBand(width: columns - Self.trendWidth - 2), width = lines.first?.count ?? 0
        // The remaining width.
        let room = columns - width - 2
        return Self.headed(
            zip(lines, [Self.trendTitle] + routes.map { trend(of: $0.route, width: room) }).map { "\($0)  \($1)" })
    }

    private func upstreams(columns: Int) -> [ScreenLine] {
        let upstreams = snapshot.upstreams ?? []
        let table = Table(
            title: "upstream", names: upstreams.map { Printable.name($0.upstream) },
            columns: [
                column("state", upstreams, isText: true) { Printable.name($0.state) },
                column("open", upstreams) { Printable.count($0.openRequests) },
                column("failures", upstreams) { Printable.count($0.failures) },
                column("first byte", upstreams) { $0.firstByte.map(Printable.milliseconds) ?? "-" },
                column("last failure", upstreams, isText: true) { upstream in
                    upstream.lastFailure.map { "\(Printable.name($0.cause)) \(Printable.span($0.ago)) ago" } ?? "-"
                },
                column("route", upstreams, isText: true) { Self.shortName($0.route) },
            ])
        return Self.headed(table.oneBand(width: columns), weights: upstreams.map { Self.weight(ofState: $0.state) })
    }

    private static func weight(ofState state: String) -> ScreenLine.Weight {
        switch state {
        case "up": .plain
        case "drained": .warning
        default: .alarm
        }
    }

    private func breakers(columns: Int) -> [ScreenLine] {
        let breakers = snapshot.breakers
        let table = Table(
            title: "breaker of", names: breakers.map { Printable.name($0.name) },
            columns: [
                column("kind", breakers, isText: true) { Printable.name($0.kind) },
                column("state", breakers, isText: true) { Printable.name($0.state) },
                column("half-open in", breakers) {
                    $0.state == "open" ? Printable.span($0.retryAfter.rounded(.up)) : "-"
                },
                column("route", breakers, isText: true) { Self.shortName($0.route) },
            ])
        return Self.headed(
            table.oneBand(width: columns), weights: breakers.map { $0.state == "open" ? .alarm : .warning })
    }

    private func pulls(columns: Int) -> [ScreenLine] {
        let pulls = snapshot.pulls ?? []
        let table = Table(
            title: "shared request", names: pulls.map { Printable.name($0.path) },
            columns: [
                column("readers", pulls) { Printable.count($0.readers) },
                column("behind", pulls) { Printable.count($0.lag) },
                column("retained", pulls) { Printable.count($0.records) },
                column("bytes", pulls) { Printable.bytes(Double($0.bytes)) },
                column("state", pulls, isText: true) { $0.paused ? "paused" : "flowing" },
                column("open", pulls) { Printable.span($0.duration) },
                column("route", pulls, isText: true) { Self.shortName($0.route) },
            ])
        return Self.headed(
            table.oneBand(width: columns), weights: pulls.map { $0.paused ? .warning : .plain })
    }

    private func streams(columns: Int) -> [ScreenLine] {
        let streams = snapshot.slowest
        let table = Table(
            title: "slowest client", names: streams.map { Printable.name($0.client) },
            columns: [
                column("state", streams, isText: true) { Printable.name($0.state) },
                column("buffer", streams) { "\(Printable.count($0.bufferRecords)) of \(Printable.count($0.buffer))" },
                column("paused", streams) { Printable.span($0.paused) },
                column("open", streams) { Printable.span($0.duration) },
                column("route", streams, isText: true) { Self.shortName($0.route) },
                column("records", streams) { Printable.count($0.records) },
                column("rate", streams) { Printable.name($0.rate) },
            ])
        return Self.headed(
            table.oneBand(width: columns), weights: streams.map { $0.state == "slow" ? .warning : .plain })
    }

    // MARK: Parts

    private func sorted(_ routes: [AdminSnapshot.Route]) -> [AdminSnapshot.Route] {
        let weight: (AdminSnapshot.Route) -> Double =
            switch order {
            case .configured: { _ in 0 }
            case .streams: { Double($0.activeStreams) }
            case .records: { $0.recordsPerSecond }
            case .bytes: { $0.bytesPerSecond }
            case .buffer: { Double($0.bufferRecords) }
            case .refused: { Double($0.refusals) }
            }
        // Equal routes stay in the order of the configuration.
        return routes.enumerated().sorted { (weight($1.element), $0.offset) < (weight($0.element), $1.offset) }
            .map(\.element)
    }

    private func trend(of route: String, width: Int) -> String {
        bars.text(moment.trend(of: route, count: width))
    }

    private func column<Row>(
        _ title: String, _ rows: [Row], isText: Bool = false, cell: (Row) -> String
    ) -> Table.Column {
        Table.Column(title: title, cells: rows.map(cell), isText: isText)
    }

    /// A name that is not the first of its row is shortened.
    private static func shortName(_ name: String) -> String { Table.shortened(Printable.name(name), to: 24) }

    private static func headed(_ lines: [String], weights: [ScreenLine.Weight] = []) -> [ScreenLine] {
        lines.enumerated().map { number, line in
            guard number > 0 else { return ScreenLine(line, .heading) }
            return ScreenLine(line, number <= weights.count ? weights[number - 1] : .plain)
        }
    }
}
