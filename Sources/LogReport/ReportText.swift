import PlainText

/// A report as lines of ASCII, for a terminal.
struct ReportText {
    private let tables: ReportTables
    /// The width of the screen in characters; a wider table is continued below.
    private let width: Int

    init(_ tables: ReportTables, width: Int) { (self.tables, self.width) = (tables, width) }

    /// The tables and the totals as lines of ASCII, each with its newline.
    ///
    /// - Parameter rows: Of the screen; the last tables that do not fit are omitted, the totals remain. `nil` for no limit.
    /// - Returns: Only printable ASCII and newlines, whatever the log contains.
    func text(rows: Int?) -> String {
        var lines = tables.sections.flatMap { self.lines(of: $0) }
        if let hoursOfDay = tables.hoursOfDay { lines += hoursOfDay.lines(width: width) + [""] }
        let totals = tables.summary.flatMap { wrapped($0) }
        if let rows { lines = wholeTables(of: lines, fitting: rows - totals.count) }
        lines += totals
        return lines.map { $0 + "\n" }.joined()
    }

    /// The first tables, each ended by its empty line, in at most this number of rows, with a note if some are omitted.
    private func wholeTables(of lines: [String], fitting rows: Int) -> [String] {
        guard lines.count > rows else { return lines }
        let note = wrapped("More tables than the screen has room for.") + [""]
        let end = lines.prefix(max(0, rows - note.count)).lastIndex(of: "").map { $0 + 1 } ?? 0
        return lines[..<end] + note
    }

    private func lines(of section: ReportTables.Section) -> [String] {
        section.tables.flatMap { $0.lines(width: width) + [""] } + (section.note.map { wrapped($0) + [""] } ?? [])
    }

    /// A sentence in lines of at most `width` characters, split at spaces; all but the first are indented.
    private func wrapped(_ sentence: String) -> [String] {
        var lines: [String] = []
        for word in sentence.split(separator: " ") {
            if let last = lines.last, last.utf8.count + 1 + word.utf8.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(lines.isEmpty ? String(word) : "  " + word)
            }
        }
        return lines
    }
}
