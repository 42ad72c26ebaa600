import HTTPText
import Yams

/// The step from text to YAML nodes, with all errors that do not depend on the meaning of a key.
enum YAMLDocument {
    /// The document's root; `nil` after an error was reported.
    static func compose(_ text: String, reporting reading: Reading) -> Node? {
        guard text.utf8.count <= Configuration.maximumBytes else {
            reading.report("the file is longer than 1MiB, the maximum", at: Position())
            return nil
        }
        // libYAML accepts a byte order mark only if it has to detect the encoding.
        let text = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
        if let alias = firstAlias(in: text) {
            reading.report("aliases (`*name`) are not supported: write the value", at: position(of: alias, in: text))
            return nil
        }
        do {
            // The basic resolver gives plain scalars no types: every value is text until a form reads it.
            if let root = try Yams.compose(yaml: text, .basic, .default, .utf8) { return root }
            reading.report("the file is empty; allowed: a mapping with `routes`", at: Position())
        } catch let error as YamlError {
            report(error, to: reading)
            reportInvisible(in: text, to: reading)
        } catch {
            reading.report("the file is not YAML: \(error)", at: Position())
        }
        return nil
    }

    private static func report(_ error: YamlError, to reading: Reading) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let origin = context.map { " (\($0.text), from line \($0.mark.line))" } ?? ""
            reading.report("the file is not YAML: \(problem)\(origin)", at: Position(mark))
        case .reader(let problem, let offset, _, let text):
            // Yams counts in characters.
            let index = text.index(text.startIndex, offsetBy: offset ?? 0, limitedBy: text.endIndex) ?? text.endIndex
            reading.report("the file is not YAML: \(problem)", at: position(of: index, in: text))
        case .duplicatedKeysInMapping(let names, let context):
            let words = names.map(quoted).joined(separator: ", ")
            reading.report(
                "\(words) appears again below; allowed: each key once in its mapping",
                at: Position(context.mark))
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            reading.report("the file is not YAML: \(error)", at: Position())
        }
    }

    /// Reports the first character of a text that is not YAML which an editor shows as a space, or not at all.
    private static func reportInvisible(in text: String, to reading: Reading) {
        let index = text.unicodeScalars.firstIndex { !$0.isVisible && $0.properties.generalCategory != .control }
        guard let index else { return }
        let name = text.unicodeScalars[index].escaped(asASCII: true)
        reading.report(
            "`\(name)` cannot be seen, and is no space to YAML: replace it", at: position(of: index, in: text))
    }

    private static func position(of index: String.Index, in text: String) -> Position {
        let lines = text[..<index].split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return Position(line: lines.count, column: (lines.last?.unicodeScalars.count ?? 0) + 1)
    }
}

extension Position {
    fileprivate init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

// MARK: - Aliases

extension YAMLDocument {
    /// The first `*name` after a `&name`.
    ///
    /// Aliases of aliases would let a short file contain an exponential document ("billion laughs"), or one nested too
    /// deeply to be released. Yams resolves them while it composes, so this searches the text before that. Without
    /// YAML's quoting rules it may mistake a comment for an alias, but never misses one.
    private static func firstAlias(in text: String) -> String.Index? {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return nil }
        var anchors: Set<Substring> = []
        for index in text.utf8.indices {
            let sign = text.utf8[index]
            guard sign == UInt8(ascii: "&") || sign == UInt8(ascii: "*") else { continue }
            let rest = text.utf8[text.utf8.index(after: index)...]
            let name = Substring(rest.prefix { $0.isNameByte })
            guard !name.isEmpty else { continue }
            if sign == UInt8(ascii: "&") {
                anchors.insert(name)
            } else if anchors.contains(name) {
                return index
            }
        }
        return nil
    }
}

extension UInt8 {
    /// The bytes of an anchor's name in libYAML.
    fileprivate var isNameByte: Bool {
        isLetter || isDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
    }
}
