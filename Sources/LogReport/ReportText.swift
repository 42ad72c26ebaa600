import Observability
import PlainText

extension LogReport {
    /// The tables and the totals as lines of ASCII, each with its newline.
    ///
    /// - Parameters:
    ///   - width: Of the screen, in characters; a wider table is continued below.
    ///   - rows: Of the screen; the last tables that do not fit are omitted, the totals remain. `nil` for no limit.
    /// - Returns: Only printable ASCII and newlines, whatever the log contains.
    package func text(width: Int, rows: Int? = nil) -> String {
        var lines: [String] = []
        if period != nil {
            for ranking in rankings { lines += Self.lines(of: ranking, width: width) }
            if let hoursOfDay { lines += hoursOfDay.lines(width: width) + [""] }
        }
        let totals = summary.flatMap { Self.wrapped($0, to: width) }
        if let rows { lines = Self.wholeTables(of: lines, fitting: rows - totals.count, width: width) }
        lines += totals
        return lines.map { $0 + "\n" }.joined()
    }

    /// The first tables, each ended by its empty line, in at most this number of rows, with a note if some are omitted.
    private static func wholeTables(of lines: [String], fitting rows: Int, width: Int) -> [String] {
        guard lines.count > rows else { return lines }
        let note = wrapped("More tables than the screen has room for.", to: width) + [""]
        let end = lines.prefix(max(0, rows - note.count)).lastIndex(of: "").map { $0 + 1 } ?? 0
        return lines[..<end] + note
    }

    private static func lines(of ranking: RankingTables, width: Int) -> [String] {
        ranking.tables.flatMap { $0.lines(width: width) + [""] }
            + (ranking.note.map { wrapped($0, to: width) + [""] } ?? [])
    }

    /// A sentence in lines of at most `width` characters, split at spaces; all but the first are indented.
    private static func wrapped(_ sentence: String, to width: Int) -> [String] {
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
