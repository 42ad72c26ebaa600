/// A text for an error: between backticks, on one line, and not longer than a line.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(60).map { scalar in
        scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return "`\(shown.joined())\(text.unicodeScalars.count > 60 ? "…" : "")`"
}

/// Words for an error: `a`, `b` or `c`.
func choice(of words: [String], joint: String = "or") -> String {
    let quoted = words.map { "`\($0)`" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.joined() }
    return "\(quoted.dropLast().joined(separator: ", ")) \(joint) \(last)"
}
