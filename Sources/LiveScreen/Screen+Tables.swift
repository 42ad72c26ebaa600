import PlainText

extension Screen {
    /// The width of the routes' trend beside their table, if the screen is wide enough.
    private static let trendTitle = "last 5 min", trendWidth = 12
    static let leastColumns = 80

    /// The tables, one below the other, with an empty line above each, in at most `rows` lines.
    ///
    /// A single snapshot has no trend.
    func tables(columns: Int, rows: Int, hasTrends: Bool) -> [ScreenLine] {
        guard let shown else { return [] }
        let tables: [[ScreenLine]]
        switch focus {
        case .all:
            tables =
                [routes(shown, columns: columns, hasTrends: hasTrends)]
                + [
                    upstreams(shown, columns: columns), breakers(shown, columns: columns),
                    pulls(shown, columns: columns),
                    streams(shown, columns: columns),
                ].filter { $0.count > 1 }
        case .routes: tables = [routes(shown, columns: columns, hasTrends: hasTrends)]
        case .upstreams: tables = [upstreams(shown, columns: columns)]
        case .breakers: tables = [breakers(shown, columns: columns)]
        case .shared: tables = [pulls(shown, columns: columns)]
        case .streams: tables = [streams(shown, columns: columns)]
        }
        let room = shares(
            of: rows == .max ? tables.joined().count * 2 : rows - tables.count, among: tables.map(\.count))
        return zip(tables, room).flatMap { table, rows in
            guard focus != .all, let selected else { return [ScreenLine("")] + Self.cut(table, to: rows) }
            return [ScreenLine("")] + Self.window(of: table, around: selected, rows: rows)
        }
    }

    /// The title, the rows around the selected one, and where they are in the table if not all fit.
    private static func window(of table: [ScreenLine], around selected: Int, rows: Int) -> [ScreenLine] {
        let count = table.count - 1, selected = min(selected, count - 1)
        guard selected >= 0 else { return table }
        var table = table
        table[selected + 1] = ScreenLine(table[selected + 1].text, .selected)
        guard table.count > rows else { return table }
        let visible = max(1, rows - 2), first = max(0, min(selected - visible / 2, count - visible))
        return table.prefix(1) + table[(first + 1)...].prefix(visible)
            + [ScreenLine("(\(first + 1) to \(first + visible) of \(count))")]
    }

    /// The last line contains the number of lines that do not fit.
    private static func cut(_ table: [ScreenLine], to rows: Int) -> [ScreenLine] {
        guard table.count > rows else { return table }
        guard rows > 1 else { return Array(table.prefix(max(0, rows))) }
        return table.prefix(rows - 1) + [ScreenLine("(\(Printable.count(table.count - rows + 1)) more)")]
    }

    // MARK: The tables

    private func routes(_ shown: AdminSnapshot, columns: Int, hasTrends: Bool) -> [ScreenLine] {
        let routes = sorted(shown.routes)
        let table = Table(
            title: "route", names: routes.map { Printable.name($0.route) },
            columns: [
                column("streams", routes) { Printable.count($0.activeStreams) },
                column("records/s", routes) { Printable.rate($0.recordsPerSecond) },
                column("bytes/s", routes) { Self.bytes($0.bytesPerSecond) },
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

    private func upstreams(_ shown: AdminSnapshot, columns: Int) -> [ScreenLine] {
        let upstreams = shown.upstreams ?? []
        let table = Table(
            title: "upstream", names: upstreams.map { Printable.name($0.upstream) },
            columns: [
                column("state", upstreams, isText: true) { Printable.name($0.state) },
                column("open", upstreams) { Printable.count($0.openRequests) },
                column("failures", upstreams) { Printable.count($0.failures) },
                column("first byte", upstreams) { upstream in
                    upstream.firstByte.map { "\(Int(($0 * 1000).rounded())) ms" } ?? "-"
                },
                column("last failure", upstreams, isText: true) { upstream in
                    upstream.lastFailure.map { "\(Printable.name($0.cause)) \(Self.span($0.ago)) ago" } ?? "-"
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

    private func breakers(_ shown: AdminSnapshot, columns: Int) -> [ScreenLine] {
        let breakers = shown.breakers
        let table = Table(
            title: "breaker of", names: breakers.map { Printable.name($0.name) },
            columns: [
                column("kind", breakers, isText: true) { Printable.name($0.kind) },
                column("state", breakers, isText: true) { Printable.name($0.state) },
                column("half-open in", breakers) { $0.state == "open" ? Self.span($0.retryAfter.rounded(.up)) : "-" },
                column("route", breakers, isText: true) { Self.shortName($0.route) },
            ])
        return Self.headed(
            table.oneBand(width: columns), weights: breakers.map { $0.state == "open" ? .alarm : .warning })
    }

    private func pulls(_ shown: AdminSnapshot, columns: Int) -> [ScreenLine] {
        let pulls = shown.pulls ?? []
        let table = Table(
            title: "shared request", names: pulls.map { Printable.name($0.path) },
            columns: [
                column("readers", pulls) { Printable.count($0.readers) },
                column("behind", pulls) { Printable.count($0.lag) },
                column("retained", pulls) { Printable.count($0.records) },
                column("bytes", pulls) { Self.bytes(Double($0.bytes)) },
                column("state", pulls, isText: true) { $0.paused ? "paused" : "flowing" },
                column("open", pulls) { Self.span($0.duration) },
                column("route", pulls, isText: true) { Self.shortName($0.route) },
            ])
        return Self.headed(
            table.oneBand(width: columns), weights: pulls.map { $0.paused ? .warning : .plain })
    }

    private func streams(_ shown: AdminSnapshot, columns: Int) -> [ScreenLine] {
        let streams = shown.slowest
        let table = Table(
            title: "slowest client", names: streams.map { Printable.name($0.client) },
            columns: [
                column("state", streams, isText: true) { Printable.name($0.state) },
                column("buffer", streams) { "\(Printable.count($0.bufferRecords)) of \(Printable.count($0.buffer))" },
                column("paused", streams) { Self.span($0.paused) },
                column("open", streams) { Self.span($0.duration) },
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
        bars.text(trends[route, default: Trend()].means(count: width, until: time))
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
