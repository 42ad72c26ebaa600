import PlainText

extension Screen {
    /// The lines of the screen, from the top; at most `rows` lines of at most `columns` characters.
    ///
    /// - Parameters:
    ///   - columns: The width of a line in characters.
    ///   - rows: The number of lines; `nil` for no limit, and no line about keys.
    /// - Returns: The lines.
    package func lines(columns: Int, rows: Int?) -> [ScreenLine] {
        let head = head(columns: columns)
        let room = rows.map { max(0, $0 - head.count - 1) } ?? .max
        var lines = head
        switch page {
        case .tables:
            lines += tables(columns: columns, rows: room, hasTrends: rows != nil && columns >= Self.leastColumns)
        case .help: lines += [ScreenLine("")] + Self.help
        case .stream(let stream): lines += [ScreenLine("")] + self.lines(of: stream, columns: columns)
        }
        if let rows {
            lines = Array(lines.prefix(max(0, rows - 1)))
            lines += Array(repeating: ScreenLine(""), count: max(0, rows - 1 - lines.count))
            lines.append(ScreenLine(keys.padded(to: columns), .keys))
        }
        return lines.map { $0.cut(to: columns) }
    }

    private var keys: String {
        switch page {
        case .tables:
            " q quit   ? help   p \(isPaused ? "resume" : "pause")   < > order: \(order.rawValue)   Tab show: \(focus.rawValue)"
        case .help: " q quit   any other key: back"
        case .stream:
            " q quit   Esc back"
                + (shown?.actions ?? false ? "   e end the stream" : "   (admin_token needed to end it)")
        }
    }

    // MARK: The head

    private func head(columns: Int) -> [ScreenLine] {
        let address = Printable.name(address)
        let failing = failure.map { [ScreenLine(Self.cleaned($0), .alarm)] } ?? []
        guard let shown else {
            return [ScreenLine("weir top  \(address)", .heading)]
                + (failing.isEmpty ? [ScreenLine("connecting")] : failing)
        }
        let name =
            "weir \(Printable.name(shown.version))  \(Printable.name(shown.state))  up \(Self.span(shown.uptime))"
        // The time of day in the RFC 3339 text.
        let clock = Printable.name(String(shown.time.dropFirst(11).prefix(8)))
        let title = name.beside((isPaused ? "paused  " : "") + "\(address)  \(clock)Z", columns: columns)
        return [ScreenLine(title, shown.state == "ready" ? .heading : .warning)] + failing
            + [ScreenLine(Self.flow(shown)), ScreenLine(Self.buffer(shown.totals, columns: columns))]
            + Self.refusals(shown) + Self.configuration(shown.configuration) + Self.replicas(shown.replicas)
    }

    private static func flow(_ shown: AdminSnapshot) -> String {
        let totals = shown.totals, open = shown.breakers.count
        return "streams \(Printable.count(totals.activeStreams))   records/s \(Printable.rate(totals.recordsPerSecond))"
            + "   bytes/s \(bytes(totals.bytesPerSecond))   breakers "
            + (open == 0 ? "all closed" : "\(open) not closed")
    }

    /// As `buffer [####......] 40 %  4 of 10 records, 1.20 KiB`.
    private static func buffer(_ totals: AdminSnapshot.Totals, columns: Int) -> String {
        // The higher utilisation of both bounds.
        let part = max(
            part(totals.bufferRecords, of: totals.bufferCapacityRecords),
            part(totals.bufferBytes, of: totals.bufferCapacityBytes))
        let figures =
            " \(Int((part * 100).rounded(.down))) %  \(Printable.count(totals.bufferRecords)) of "
            + "\(Printable.count(totals.bufferCapacityRecords)) records, \(Printable.bytes(totals.bufferBytes))"
        let width = min(40, max(0, columns - figures.count - 9)), filled = Int((part * Double(width)).rounded())
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "buffer [\(bar)]\(figures)"
    }

    private static func part(_ amount: Int, of capacity: Int) -> Double {
        capacity > 0 ? min(1, max(0, Double(amount) / Double(capacity))) : 0
    }

    private static func refusals(_ shown: AdminSnapshot) -> [ScreenLine] {
        guard shown.totals.refusals > 0 else { return [ScreenLine("refused 0")] }
        var counts: [String: Int] = [:]
        for route in shown.routes { counts.merge(route.refused, uniquingKeysWith: +) }
        let causes = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\(Printable.name($0.key)) \(Printable.count($0.value))" }
        return [ScreenLine("refused \(Printable.count(shown.totals.refusals)): \(causes.joined(separator: ", "))")]
    }

    /// Empty if the last reload was accepted and all streams have its limits.
    private static func configuration(_ configuration: AdminSnapshot.Configuration) -> [ScreenLine] {
        var notes: [String] = []
        let isRefused = configuration.lastReload == "refused"
        if isRefused { notes.append("the last reload was refused") }
        if configuration.olderStreams > 0 {
            notes.append(
                "\(Printable.count(configuration.olderStreams, "stream")) from older ones, open for up to "
                    + span(configuration.oldest))
        }
        guard !notes.isEmpty else { return [] }
        let text = "configuration \(configuration.generation): \(notes.joined(separator: "; "))"
        return [ScreenLine(text, isRefused ? .warning : .plain)]
    }

    private static func replicas(_ replicas: AdminSnapshot.Replicas?) -> [ScreenLine] {
        guard let replicas else { return [] }
        let failures = replicas.failures ?? 0
        let text =
            "replicas \(Printable.count(replicas.count))\(replicas.shared ? "" : ": limits are not shared")"
            + (replicas.name.map { "   this is \(Printable.name($0))" } ?? "")
            + (failures > 0 ? "   \(Printable.count(failures, "failure"))" : "")
        return [ScreenLine(text, replicas.shared ? .plain : .warning)]
    }

    // MARK: Quantities

    /// In whole seconds, because the screen is drawn about once a second.
    static func span(_ seconds: Double) -> String {
        let whole = whole(seconds)
        return whole < 100 ? "\(whole)s" : Printable.duration(whole * 1_000_000)
    }
    static func bytes(_ perSecond: Double) -> String { Printable.bytes(whole(perSecond)) }

    /// Limits any number of the JSON to a valid `Int`.
    private static func whole(_ number: Double) -> Int { Int(min(max(0, number.rounded()), 1e12)) }

    /// Keeps the quotes and paths of a message, and escapes characters that control the terminal.
    static func cleaned(_ text: String) -> String {
        text.split(separator: " ").map { Printable.name(String($0)) }.joined(separator: " ")
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }

    /// This text at the left of a line and the other at its right, if there is room for both.
    fileprivate func beside(_ other: String, columns: Int) -> String {
        count + other.count + 2 <= columns ? padded(to: columns - other.count) + other : self
    }
}
