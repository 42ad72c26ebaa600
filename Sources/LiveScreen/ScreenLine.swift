/// One line of a screen and how much it should stand out.
package struct ScreenLine: Sendable, Equatable {
    package enum Weight: Sendable {
        case plain
        case heading
        case warning
        case alarm
        /// The line at the foot that tells the keys.
        case keys
    }

    /// Holds nothing that steers a terminal; each character takes one place.
    package let text: String
    let weight: Weight

    init(_ text: String, _ weight: Weight = .plain) {
        self.text = text
        self.weight = weight
    }

    /// Cut to what a line has room for.
    func cut(to columns: Int) -> ScreenLine { ScreenLine(String(text.prefix(columns)), weight) }

    /// The text between the codes of its weight (ECMA-48, 8.3.117 SGR).
    ///
    /// - Parameter hasColour: Without it bold and reverse are left: <https://no-color.org> asks no more.
    /// - Returns: What to write.
    package func drawn(hasColour: Bool) -> String {
        let code =
            switch weight {
            case .plain: ""
            case .heading: "1"
            case .warning: hasColour ? "33" : ""
            case .alarm: hasColour ? "1;31" : "1"
            case .keys: "7"
            }
        return code.isEmpty ? text : "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}
