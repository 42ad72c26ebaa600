import PlainText

/// Tables one below the other, with an empty line above each.
struct TableStack {
    /// Each with its title.
    let tables: [[ScreenLine]]
    /// The selected row of a table that is shown alone; `nil` if none is selected.
    let selected: Int?

    /// The lines in at most `rows` lines, which small tables leave to large ones.
    func lines(rows: Int) -> [ScreenLine] {
        let room = shares(
            of: rows == .max ? tables.joined().count * 2 : rows - tables.count, among: tables.map(\.count))
        return zip(tables, room).flatMap { table, rows in
            guard let selected else { return [ScreenLine("")] + Self.cut(table, to: rows) }
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
}
