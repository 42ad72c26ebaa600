/// One field of a head or of trailers, read from its line (RFC 9112, section 5).
package struct FieldLine {
    /// The malformed part of a line.
    package enum Fault: Error {
        /// No name, a name that is not a token, white space before the colon, or a continuation line (`obs-fold`; RFC
        /// 9112, section 5.2).
        case name
        /// A control character other than a tab (RFC 9110, section 5.5).
        case value
    }

    /// As received.
    package let name: String
    /// Without the surrounding white space, which is not part of it (RFC 9110, section 5.5); a ``FieldText``.
    package let value: String

    /// Reads a line without its line end.
    ///
    /// - Complexity: O(`line.count`); one allocation for a name and one for a value of more than 15 bytes.
    package init(_ line: UnsafeRawBufferPointer) throws(Fault) {
        var colon = 0
        while colon < line.count, line[colon].isTokenByte { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else { throw .name }
        var start = colon + 1, end = line.count
        while start < end, line[start].isOptionalWhitespace { start += 1 }
        while end > start, line[end - 1].isOptionalWhitespace { end -= 1 }
        let value = UnsafeRawBufferPointer(rebasing: line[start..<end])
        guard value.isFieldValue else { throw .value }
        name = String(decoding: UnsafeRawBufferPointer(rebasing: line[..<colon]), as: UTF8.self)
        self.value = FieldText.string(value)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether each byte is allowed in a field value (RFC 9110, section 5.5); without an early exit, so that the loop
    /// is vectorised.
    package var isFieldValue: Bool {
        var faults: UInt8 = 0
        for byte in self { faults |= byte.isFieldValueByte ? 0 : 1 }
        return faults == 0
    }
}
