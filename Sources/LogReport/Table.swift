/// A table in plain ASCII: names to the left, numbers to the right of their columns.
///
/// Where it is wider than the screen, it goes on below itself, the names repeated; a long name gives up its middle.
struct Table {
    struct Column {
        let title: String
        /// One for each row.
        let cells: [String]

        var width: Int { max(title.utf8.count, cells.map(\.utf8.count).max() ?? 0) }
    }

    let title: String
    let names: [String]
    let columns: [Column]

    private static let gap = 2
    /// A name keeps this much of the width at least.
    private static let leastName = 16

    /// The lines of the table, each at most `width` characters long as far as single columns fit.
    func lines(width: Int) -> [String] {
        let widest = columns.map(\.width).max() ?? 0
        let longestName = max(title.utf8.count, names.map(\.utf8.count).max() ?? 0)
        // Half of the screen at most, so that there is room for more than one column.
        let nameWidth = min(longestName, max(Self.leastName, min(width / 2, width - widest - Self.gap)))
        return bands(width: width - nameWidth).enumerated().flatMap { number, band in
            (number == 0 ? [] : [""]) + lines(of: band, nameWidth: nameWidth)
        }
    }

    /// As many columns beside each other as fit, at least one.
    private func bands(width: Int) -> [[Column]] {
        var bands: [[Column]] = [], used = 0
        for column in columns {
            let wanted = column.width + Self.gap
            if bands.isEmpty || used + wanted > width {
                bands.append([])
                used = 0
            }
            bands[bands.count - 1].append(column)
            used += wanted
        }
        return bands
    }

    private func lines(of band: [Column], nameWidth: Int) -> [String] {
        let head = line(name: title, cells: band.map { ($0.title, $0.width) }, nameWidth: nameWidth)
        return [head]
            + names.indices.map { row in
                line(name: names[row], cells: band.map { ($0.cells[row], $0.width) }, nameWidth: nameWidth)
            }
    }

    private func line(name: String, cells: [(text: String, width: Int)], nameWidth: Int) -> String {
        let name = Self.shortened(name, to: nameWidth)
        return cells.reduce(into: name + Self.spaces(nameWidth - name.utf8.count)) { line, cell in
            line += Self.spaces(Self.gap + cell.width - cell.text.utf8.count) + cell.text
        }
    }

    private static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    /// The beginning and the end of a name: paths differ at their ends, addresses too.
    private static func shortened(_ name: String, to width: Int) -> String {
        guard name.utf8.count > width else { return name }
        let kept = width - 2
        return name.prefix(kept / 2) + ".." + name.suffix(kept - kept / 2)
    }
}
