/// One line of a screen and its weight.
package struct ScreenLine: Sendable, Equatable {
    package enum Weight: Sendable {
        case plain
        case heading
        case warning
        case alarm
        case selected
        /// The line at the bottom that lists the keys.
        case keys
    }

    /// Contains no control characters; each character has the width of one column.
    package let text: String
    let weight: Weight

    init(_ text: String, _ weight: Weight = .plain) {
        self.text = text
        self.weight = weight
    }

    /// The line shortened to the width of the screen.
    func cut(to columns: Int) -> ScreenLine { ScreenLine(String(text.prefix(columns)), weight) }

    /// The text with the codes of its weight (ECMA-48, 8.3.117 SGR).
    ///
    /// - Parameter hasColour: Without it bold and reverse remain, which <https://no-color.org> allows.
    /// - Returns: What to write.
    package func drawn(hasColour: Bool) -> String {
        let code =
            switch weight {
            case .plain: ""
            case .heading: "1"
            case .warning: hasColour ? "33" : ""
            case .alarm: hasColour ? "1;31" : "1"
            case .selected, .keys: "7"
            }
        return code.isEmpty ? text : "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}
