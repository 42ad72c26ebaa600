import HTTPText

/// The environment, as `${NAME}` in the configuration takes from it.
///
/// A variable goes into a value that YAML has cut out already: whatever it holds, it can add no key and end no list.
struct Variables {
    let values: [String: String]

    /// The text with every `${NAME}` replaced; what comes in is not looked through again.
    ///
    /// - Throws: What is wrong with the first one that cannot be replaced. The values themselves are never told, since
    ///   they may be secret.
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
                throw Refusal(reason: "a variable is `${NAME}`, its name of letters, digits and `_`, no digit first")
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
