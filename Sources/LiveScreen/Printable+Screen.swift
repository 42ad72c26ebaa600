import PlainText

// What the numbers and texts of a snapshot look like on the screen.

extension Printable {
    /// A time in whole seconds, because the screen is drawn about once a second.
    static func span(_ seconds: Double) -> String {
        let whole = whole(seconds)
        return whole < 100 ? "\(whole)s" : duration(whole * 1_000_000)
    }

    /// A time in whole milliseconds.
    static func milliseconds(_ seconds: Double) -> String { "\(whole(seconds * 1000)) ms" }

    /// A number of bytes of the JSON, or of bytes per second.
    static func bytes(_ number: Double) -> String { bytes(whole(number)) }

    /// Limits any number of the JSON to a valid `Int`.
    private static func whole(_ number: Double) -> Int { Int(min(max(0, number.rounded()), 1e12)) }

    /// Keeps the quotes and paths of a message, and escapes characters that control the terminal.
    static func message(_ text: String) -> String {
        text.split(separator: " ").map { name(String($0)) }.joined(separator: " ")
    }
}
