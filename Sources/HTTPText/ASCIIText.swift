/// Comparing and splitting the text of header fields and hosts: ASCII, without copies.
extension Substring {
    /// Without the spaces and tabs at both ends: the optional white space of RFC 9110, section 5.6.3.
    package var trimmingOptionalWhitespace: Substring {
        guard let first = utf8.firstIndex(where: { !$0.isOptionalWhitespace }),
            let last = utf8.lastIndex(where: { !$0.isOptionalWhitespace })
        else { return Substring() }
        return self[first..<utf8.index(after: last)]
    }

    /// Whether this is `word`, which is ASCII in lower case, in any case.
    package func isCaseInsensitively(_ word: StaticString) -> Bool {
        word.utf8CodeUnitCount == utf8.count
            && word.withUTF8Buffer { word in utf8.elementsEqual(word, by: { $0.lowercasedASCII == $1 }) }
    }

    /// The part before the first `separator` outside of a quoted string, and the part after it, if there is one.
    ///
    /// In a quoted string a backslash quotes the next byte (RFC 9110, section 5.6.4).
    package func cut(at separator: Unicode.Scalar) -> (head: Substring, tail: Substring?) {
        var quotes = QuoteScanner()
        let index = utf8.firstIndex { quotes.isOutside($0) && $0 == UInt8(ascii: separator) }
        guard let index else { return (self, nil) }
        return (self[..<index], self[utf8.index(after: index)...])
    }

    /// The parts between separators that are not in a quoted string; `nil` if a quoted string does not end.
    ///
    /// An open quote would join what one sender wrote with what the next appended, and readers differ about it.
    package func parts(separatedBy separator: Unicode.Scalar) -> [Substring]? {
        var parts: [Substring] = [], rest: Substring? = self
        while let text = rest {
            let (head, tail) = text.cut(at: separator)
            parts.append(head)
            rest = tail
        }
        return parts.last.map(\.endsInQuotedString) ?? false ? nil : parts
    }

    /// Whether a quoted string that begins in this text does not end in it.
    private var endsInQuotedString: Bool {
        var quotes = QuoteScanner()
        for byte in utf8 { _ = quotes.isOutside(byte) }
        return quotes.isQuoted
    }

    /// The text that a quoted string contains (RFC 9110, section 5.6.4); a text without quotes itself.
    ///
    /// - Returns: `nil` if quotes are elsewhere than around the whole.
    package var unquoted: String? {
        guard utf8.contains(UInt8(ascii: "\"")) else { return String(self) }
        guard utf8.count >= 2, utf8.first == UInt8(ascii: "\""), utf8.last == UInt8(ascii: "\"") else { return nil }
        var text = "", isEscaped = false
        for scalar in dropFirst().dropLast().unicodeScalars {
            if !isEscaped, scalar == "\\" {
                isEscaped = true
            } else if !isEscaped, scalar == "\"" {
                return nil
            } else {
                isEscaped = false
                text.unicodeScalars.append(scalar)
            }
        }
        return isEscaped ? nil : text
    }
}

/// Follows a text byte by byte through its quoted strings (RFC 9110, section 5.6.4).
private struct QuoteScanner {
    private(set) var isQuoted = false
    private var isEscaped = false

    /// Takes the next byte.
    ///
    /// - Returns: Whether it belongs to no quoted string; the quotes belong to it.
    mutating func isOutside(_ byte: UInt8) -> Bool {
        if isEscaped {
            isEscaped = false
        } else if isQuoted, byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isQuoted.toggle()
        } else {
            return !isQuoted
        }
        return false
    }
}

extension String {
    /// Whether this is the name of the same field: names are ASCII, in any case (RFC 9110, section 5.1).
    package func isField(_ name: String) -> Bool {
        guard utf8.count == name.utf8.count else { return false }
        var own = self, name = name
        return own.withUTF8 { own in
            name.withUTF8 { name in own.indices.allSatisfy { own[$0].lowercasedASCII == name[$0].lowercasedASCII } }
        }
    }
}
