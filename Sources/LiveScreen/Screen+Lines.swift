import PlainText

extension Screen {
    /// Narrower screens have no trends.
    private static let leastColumns = 80

    /// The lines of the screen, from the top; at most `rows` lines of at most `columns` characters.
    ///
    /// - Parameters:
    ///   - columns: The width of a line in characters.
    ///   - rows: The number of lines; `nil` for no limit, and no line about keys.
    /// - Returns: The lines.
    package func lines(columns: Int, rows: Int?) -> [ScreenLine] {
        let head = ScreenHead(address: address, snapshot: shown, failure: failure, isPaused: isPaused)
            .lines(columns: columns)
        let room = rows.map { max(0, $0 - head.count - 1) } ?? .max
        var lines = head
        switch page {
        case .tables:
            // A single snapshot has no trend.
            lines += tables(columns: columns, rows: room, hasTrends: rows != nil && columns >= Self.leastColumns)
        case .help: lines += [ScreenLine("")] + HelpPage.lines
        case .stream(let stream): lines += [ScreenLine("")] + StreamPage(stream).lines(columns: columns)
        }
        if let rows {
            lines = Array(lines.prefix(max(0, rows - 1)))
            lines += Array(repeating: ScreenLine(""), count: max(0, rows - 1 - lines.count))
            lines.append(ScreenLine(keys.padded(to: columns), .keys))
        }
        return lines.map { $0.cut(to: columns) }
    }

    private func tables(columns: Int, rows: Int, hasTrends: Bool) -> [ScreenLine] {
        guard let moment else { return [] }
        let tables = SnapshotTables(moment: moment, bars: bars, order: order)
            .tables(of: focus, columns: columns, hasTrends: hasTrends)
        return TableStack(tables: tables, selected: focus == .all ? nil : selected).lines(rows: rows)
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
}
