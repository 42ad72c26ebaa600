import HTTPText

/// The environment variables that `${NAME}` in the configuration refers to.
///
/// Variables are filled in after YAML was parsed: whatever a variable contains, it cannot add a key or end a list.
struct Variables {
    let values: [String: String]

    /// The text with every `${NAME}` replaced; the values are not searched for variables.
    ///
    /// - Throws: The error of the first one that cannot be replaced. It never contains a value, which may be secret.
    func filled(_ text: String) throws(Refusal) -> String {
        var filled = ""
        var rest = text[...]
        while let opening = rest.firstRange(of: "${") {
            filled += rest[..<opening.lowerBound]
            guard let closing = rest[opening.upperBound...].firstIndex(of: "}") else {
                throw Refusal(reason: "`${` has no `}` after it")
            }
            let name = rest[opening.upperBound..<closing]
            guard Self.isName(name) else {
                throw Refusal(reason: "a variable is `${NAME}`, with a name of letters, digits and `_`, no digit first")
            }
            guard let value = values[String(name)] else {
                throw Refusal(reason: "the environment variable `\(name)` is not set")
            }
            filled += value
            rest = rest[rest.index(after: closing)...]
        }
        return filled + rest
    }

    /// The names that a POSIX shell can set.
    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !first.isDigit else { return false }
        return text.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }
}
