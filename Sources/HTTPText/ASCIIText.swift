/// Comparing and splitting the text of header fields and hosts: ASCII, without copies.
extension Substring {
    /// The text without spaces and tabs at both ends: the optional white space of RFC 9110, section 5.6.3.
    package var trimmingOptionalWhitespace: Substring {
        if let first = utf8.first, let last = utf8.last, !first.isOptionalWhitespace, !last.isOptionalWhitespace {
            return self
        }
        guard let first = utf8.firstIndex(where: { !$0.isOptionalWhitespace }),
            let last = utf8.lastIndex(where: { !$0.isOptionalWhitespace })
        else { return Substring() }
        return self[first..<utf8.index(after: last)]
    }

    /// Whether this equals `word` (ASCII in lower case), compared case-insensitively.
    package func isCaseInsensitively(_ word: StaticString) -> Bool {
        guard word.utf8CodeUnitCount == utf8.count else { return false }
        var text = self
        return text.withUTF8 { text in
            word.withUTF8Buffer { word in text.elementsEqual(word, by: { $0.lowercasedASCII == $1 }) }
        }
    }

    /// Whether this begins with the bytes of `prefix`.
    package func begins(with prefix: String) -> Bool {
        let length = prefix.utf8.count
        guard utf8.count >= length else { return false }
        var text = self
        return text.withUTF8 { text in prefix.withBytes { $0.elementsEqual(text[..<length]) } }
    }

    /// The text before the first `separator` outside of a quoted string, and the text after it, if there is one.
    ///
    /// In a quoted string a backslash quotes the next byte (RFC 9110, section 5.6.4).
    package func cut(at separator: Unicode.Scalar) -> (head: Substring, tail: Substring?) {
        var quotes = QuoteScanner(), text = self
        let offset = text.withUTF8 { bytes in
            bytes.firstIndex { quotes.isOutside($0) && $0 == UInt8(ascii: separator) }
        }
        guard let offset else { return (self, nil) }
        let index = utf8.index(startIndex, offsetBy: offset)
        return (self[..<index], self[utf8.index(after: index)...])
    }

    /// The parts between separators outside of quoted strings; `nil` if a quoted string does not end.
    ///
    /// An open quote would join the text of one sender with the text that the next one appended, and parsers differ
    /// about it.
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

    /// The content of a quoted string (RFC 9110, section 5.6.4); a text without quotes is returned unchanged.
    ///
    /// - Returns: `nil` if there are quotes other than the first and the last byte.
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

/// Scans a text byte by byte, and detects its quoted strings (RFC 9110, section 5.6.4).
private struct QuoteScanner {
    private(set) var isQuoted = false
    private var isEscaped = false

    /// Scans the next byte.
    ///
    /// - Returns: Whether it is outside of quoted strings; the quotes are inside.
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
    /// Whether this is the same field name: names are ASCII and case-insensitive (RFC 9110, section 5.1).
    package func isField(_ name: String) -> Bool {
        guard utf8.count == name.utf8.count else { return false }
        return withBytes { own in
            name.withBytes { name in
                own.elementsEqual(name) { $0 == $1 || $0.lowercasedASCII == $1.lowercasedASCII }
            }
        }
    }

    /// Whether this contains an ASCII byte.
    package func contains(byte: UInt8) -> Bool { withBytes { $0.contains(byte) } }

    /// Calls `body` with the bytes of the text.
    ///
    /// Without a copy of the string, which `withUTF8` needs and which costs a retain; only strings bridged from
    /// Objective-C are not contiguous.
    @inlinable package func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        var copy = self
        return copy.withUTF8(body)
    }
}
