/// A table in plain ASCII: names to the left, numbers to the right of their columns.
///
/// Where it is wider than the screen, it goes on below itself, the names repeated; a long name gives up its middle.
package struct Table {
    package struct Column {
        let title: String
        /// One for each row.
        let cells: [String]
        let isText: Bool

        /// - Parameters:
        ///   - title: Stands above them.
        ///   - cells: One for each row, in printable ASCII.
        ///   - isText: Whether they stand to the left of the column, as words do.
        package init(title: String, cells: [String], isText: Bool = false) {
            self.title = title
            self.cells = cells
            self.isText = isText
        }

        fileprivate var width: Int { max(title.utf8.count, cells.map(\.utf8.count).max() ?? 0) }
    }

    let title: String
    let names: [String]
    let columns: [Column]

    /// - Parameters:
    ///   - title: Stands above the names.
    ///   - names: One for each row, in printable ASCII.
    ///   - columns: What stands beside them, from left to right.
    package init(title: String, names: [String], columns: [Column]) {
        self.title = title
        self.names = names
        self.columns = columns
    }

    private static let gap = 2
    /// A name keeps this much of the width at least.
    private static let leastName = 16

    private var longestName: Int { max(title.utf8.count, names.map(\.utf8.count).max() ?? 0) }

    /// The lines of the table, each at most `width` characters long as far as single columns fit.
    package func lines(width: Int) -> [String] {
        let widest = columns.map(\.width).max() ?? 0
        // Half of the screen at most, so that there is room for more than one column.
        let nameWidth = min(longestName, max(Self.leastName, min(width / 2, width - widest - Self.gap)))
        return bands(width: width - nameWidth).enumerated().flatMap { number, band in
            (number == 0 ? [] : [""]) + lines(of: band, nameWidth: nameWidth)
        }
    }

    /// One line for the titles and one for each row, whatever the width: where the columns do not fit beside a name of
    /// the least width, the last ones are left out.
    package func oneBand(width: Int) -> [String] {
        let wanted = columns.reduce(0) { $0 + $1.width + Self.gap }
        let nameWidth = min(longestName, max(Self.leastName, width - wanted))
        return lines(of: bands(width: width - nameWidth).first ?? [], nameWidth: nameWidth)
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
        let head = line(name: title, of: band, nameWidth: nameWidth, cell: \.title)
        return [head]
            + names.indices.map { row in line(name: names[row], of: band, nameWidth: nameWidth) { $0.cells[row] } }
    }

    private func line(name: String, of band: [Column], nameWidth: Int, cell: (Column) -> String) -> String {
        let name = Self.shortened(name, to: nameWidth)
        return band.reduce(into: name + Self.spaces(nameWidth - name.utf8.count)) { line, column in
            let text = cell(column), room = Self.spaces(column.width - text.utf8.count)
            line += Self.spaces(Self.gap) + (column.isText ? text + room : room + text)
        }
    }

    private static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    /// The beginning and the end of a name: paths differ at their ends, addresses too.
    package static func shortened(_ name: String, to width: Int) -> String {
        guard name.utf8.count > width else { return name }
        let kept = width - 2
        return name.prefix(kept / 2) + ".." + name.suffix(kept - kept / 2)
    }
}
