/// A text for an error: between backticks, on one line, and not longer than a line; characters that cannot be seen are escaped.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(60).map { $0.isVisible ? String($0) : $0.escaped(asASCII: true) }
    return "`\(shown.joined())\(text.unicodeScalars.count > 60 ? "…" : "")`"
}

extension Unicode.Scalar {
    /// Whether it is seen, or is a space: a no-break space is not, nor what changes the direction of text.
    var isVisible: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: self == " "
        default: true
        }
    }
}

/// Words for an error: `a`, `b` or `c`.
func choice(of words: [String], joint: String = "or") -> String {
    let quoted = words.map { "`\($0)`" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.joined() }
    return "\(quoted.dropLast().joined(separator: ", ")) \(joint) \(last)"
}
