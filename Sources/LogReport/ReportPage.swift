import PlainText

/// A report as an HTML document, for a colleague: one file that loads nothing and runs nothing.
struct ReportPage {
    private let tables: ReportTables

    init(_ tables: ReportTables) { self.tables = tables }

    /// The tables and the totals; ASCII, with all text from the log escaped.
    var html: String {
        let title = "Access log" + (tables.period.map { ", \($0)" } ?? "")
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <h1>\(Self.escaped(title))</h1>

            """
        for sentence in tables.summary { page += "<p>\(Self.escaped(sentence))</p>\n" }
        for section in tables.sections {
            for table in section.tables { page += Self.html(of: table) }
            if let note = section.note { page += "<p>\(Self.escaped(note))</p>\n" }
        }
        if let hoursOfDay = tables.hoursOfDay { page += Self.html(of: hoursOfDay) }
        return page + "</body>\n</html>\n"
    }

    private static func html(of table: Table) -> String {
        var html = "<div><table>\n<tr><th>\(escaped(table.title))</th>"
        for column in table.columns { html += "<th>\(escaped(column.title))</th>" }
        html += "</tr>\n"
        for (row, name) in table.names.enumerated() {
            html += "<tr><th>\(escaped(name))</th>"
            for column in table.columns { html += "<td>\(escaped(column.cells[row]))</td>" }
            html += "</tr>\n"
        }
        return html + "</table></div>\n"
    }

    /// Text for an element: the tables have printable ASCII, of which these characters have a meaning in HTML.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private static let style = """
        :root { color-scheme: light dark; }
        body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem auto; max-width: 80rem; padding: 0 1rem; }
        h1 { font-size: 1.25rem; }
        div { margin: 1rem 0; overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { border-bottom: 1px solid #8885; padding: 0.2rem 0.75rem 0.2rem 0; text-align: right; white-space: nowrap; }
        tr > th:first-child { text-align: left; font-weight: normal; font-family: ui-monospace, monospace; }
        tr:first-child > th { font-weight: bold; font-family: inherit; }
        """
}
