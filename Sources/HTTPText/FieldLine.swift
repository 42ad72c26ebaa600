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
        name = String(decoding: UnsafeRawBufferPointer(rebasing: line[..<colon]), as: UTF8.self)
        if value.isVisibleASCII {
            self.value = String(decoding: value, as: UTF8.self)
        } else {
            guard value.isFieldValue else { throw .value }
            self.value = FieldText.string(value)
        }
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

    /// Whether each byte is a space or visible ASCII, as in nearly all values: those need no other check.
    ///
    /// Eight bytes at a time, the last ones perhaps twice, as in ``isASCII``.
    fileprivate var isVisibleASCII: Bool {
        guard count >= 8 else { return allSatisfy { $0 &- 0x20 < 0x5F } }
        var faults = loadUnaligned(fromByteOffset: count - 8, as: UInt64.self).notVisible, offset = 0
        while offset + 8 < count {
            faults |= loadUnaligned(fromByteOffset: offset, as: UInt64.self).notVisible
            offset += 8
        }
        return faults & 0x8080_8080_8080_8080 == 0
    }
}

extension UInt64 {
    /// The high bit of at least one byte is set if a byte is below 0x20, 0x7F or above.
    ///
    /// Bytes below 0x80 cannot borrow or carry past the next byte before a lower one has set its bit.
    fileprivate var notVisible: UInt64 {
        // Below 0x20: subtracting 0x20 borrows. 0x7F: adding 1 sets the high bit. From 0x80 on it is set already.
        (self &- 0x2020_2020_2020_2020) | (self &+ 0x0101_0101_0101_0101) | self
    }
}
