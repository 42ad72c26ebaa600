/// A table in plain ASCII: names on the left, numbers aligned to the right of their columns.
///
/// If it is wider than the screen, it is continued below with the names repeated; long names are shortened in the
/// middle.
package struct Table {
    package struct Column {
        package let title: String
        /// One for each row.
        package let cells: [String]
        let isText: Bool

        /// Makes a column.
        ///
        /// - Parameters:
        ///   - title: The text of the header.
        ///   - cells: One for each row, in printable ASCII.
        ///   - isText: Whether cells are aligned to the left, as words are.
        package init(title: String, cells: [String], isText: Bool = false) {
            self.title = title
            self.cells = cells
            self.isText = isText
        }

        fileprivate var width: Int { max(title.utf8.count, cells.map(\.utf8.count).max() ?? 0) }
    }

    package let title: String
    package let names: [String]
    package let columns: [Column]

    /// Makes a table.
    ///
    /// - Parameters:
    ///   - title: The header of the names.
    ///   - names: One for each row, in printable ASCII.
    ///   - columns: The columns after the names, from left to right.
    package init(title: String, names: [String], columns: [Column]) {
        self.title = title
        self.names = names
        self.columns = columns
    }

    private static let gap = 2
    /// The minimum width of a name.
    private static let leastName = 16

    private var longestName: Int { max(title.utf8.count, names.map(\.utf8.count).max() ?? 0) }

    /// The lines of the table, each at most `width` characters long if single columns fit.
    package func lines(width: Int) -> [String] {
        let widest = columns.map(\.width).max() ?? 0
        // Half of the screen at most, so that there is room for more than one column.
        let nameWidth = min(longestName, max(Self.leastName, min(width / 2, width - widest - Self.gap)))
        return bands(width: width - nameWidth).enumerated().flatMap { number, band in
            (number == 0 ? [] : [""]) + lines(of: band, nameWidth: nameWidth)
        }
    }

    /// One line for the titles and one for each row, for any width.
    ///
    /// If the columns do not fit beside a name of the minimum width, the last ones are omitted.
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
        var line = name + Self.spaces(nameWidth - name.utf8.count)
        for column in band {
            let text = cell(column), room = Self.spaces(column.width - text.utf8.count)
            line += Self.spaces(Self.gap) + (column.isText ? text + room : room + text)
        }
        // The room of a last cell of text.
        line.removeLast(line.utf8.reversed().prefix { $0 == UInt8(ascii: " ") }.count)
        return line
    }

    private static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    /// The beginning and the end of a name, because paths and addresses differ at their ends.
    package static func shortened(_ name: String, to width: Int) -> String {
        guard name.utf8.count > width else { return name }
        let kept = width - 2
        return name.prefix(kept / 2) + ".." + name.suffix(kept - kept / 2)
    }
}
