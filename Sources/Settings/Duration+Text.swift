extension Duration {
    /// The units of the configuration, longest first.
    private static let units: [(name: String, milliseconds: Int)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Reads a whole number with its unit: `250ms`, `5s`, `1m`, `1h`; `nil` for anything else.
    ///
    /// The number has at most nine digits, so that no sum of durations can overflow.
    package init?(text: String) {
        let unit = text.drop { $0.isASCII && $0.isNumber }
        let number = text[..<unit.startIndex]
        guard let scale = Self.units.first(where: { $0.name == unit }), number.utf8.count <= 9,
            let count = Int(wholeNumber: number)
        else { return nil }
        self = .milliseconds(count * scale.milliseconds)
    }

    /// The text in the longest unit that divides this duration, which is whole milliseconds.
    package var text: String {
        let milliseconds = Int(self / .milliseconds(1))
        guard milliseconds > 0, let unit = Self.units.first(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "0s"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}
