import HTTPText

/// A value to be written as YAML, in block style.
indirect enum YAMLText {
    case scalar(String)
    case list([YAMLText])
    /// In this order.
    case mapping([(String, YAMLText)])

    static let off = YAMLText.scalar(Off.words[0])

    static func list(_ texts: [String]) -> YAMLText { .list(texts.map { .scalar($0) }) }

    /// The values of a target that its keys write.
    static func mapping<Target>(of target: Target, by keys: [Key<Target>]) -> YAMLText {
        .mapping(keys.compactMap { key in key.write(target).map { (key.name, $0) } })
    }

    /// The same, or `off` without a target.
    static func mapping<Target>(of target: Target?, orOffBy keys: [Key<Target>]) -> YAMLText {
        target.map { .mapping(of: $0, by: keys) } ?? .off
    }

    /// Fields of requests or responses, whose values may be secrets; `nil` if there are none.
    static func fields(_ fields: [HeaderRules.Field]) -> YAMLText? {
        mapping(fields.map { ($0.name, .scalar(Form.headerValue.text($0.value))) }).unlessEmpty
    }

    /// `nil` for an empty list or mapping.
    var unlessEmpty: YAMLText? {
        switch self {
        case .list(let items) where items.isEmpty: nil
        case .mapping(let entries) where entries.isEmpty: nil
        default: self
        }
    }

    /// The text of a document.
    var document: String { String(lines(indent: 0).drop { $0 == "\n" }) + "\n" }

    /// The text after a key or after the `-` of an item; the first line is on the same line.
    private func lines(indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .scalar(let text): return " " + Self.quoted(text)
        case .list(let items) where items.isEmpty: return " []"
        case .mapping(let entries) where entries.isEmpty: return " {}"
        case .list(let items):
            return items.map { "\n\(margin)-" + $0.item(indent: indent + 2) }.joined()
        case .mapping(let entries):
            return entries.map { key, value in
                "\n\(margin)\(Self.quoted(key)):" + value.lines(indent: indent + 2)
            }.joined()
        }
    }

    /// A mapping begins on the line of its `-`.
    private func item(indent: Int) -> String {
        guard case .mapping = self else { return lines(indent: indent) }
        return " \(lines(indent: indent).drop { $0 == "\n" || $0 == " " })"
    }

    /// In double quotes unless the text is a plain word, and no word that YAML takes for null.
    ///
    /// Texts of the configuration have no control characters, so that two characters are to be escaped (YAML 1.2, section 7.3.1).
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-._/+:".utf8.contains($0) }
        let first = text.utf8.first
        guard isPlain, let first, first.isLetter || first.isDigit || first == UInt8(ascii: "/"),
            text.utf8.last != UInt8(ascii: ":"), text.lowercased() != "null"
        else {
            return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return text
    }
}

extension Configuration {
    /// The text of a `proxy.conf` with the effect of this configuration: every key that has an effect, with its value.
    ///
    /// Secrets are not in it: `admin_token`, passwords, and the values of fields in `match` and `headers`.
    package var text: String { YAMLText.mapping(of: self, by: Schema.configuration).document }
}
