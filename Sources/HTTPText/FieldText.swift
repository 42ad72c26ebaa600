/// Lossless text of field values: a value is bytes of an unknown encoding (RFC 9110, section 5.5).
///
/// weir stores a value as a `String` with one Unicode scalar, U+0000 to U+00FF, for each byte: ISO 8859-1. Two values
/// that differ in one byte are two strings, and the bytes that are sent equal those received. Nearly all values are
/// ASCII, for which this is the same as UTF-8 and costs one check of each byte.
package enum FieldText {
    /// The text of these bytes.
    ///
    /// - Complexity: O(`bytes.count`).
    package static func string(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.isASCII ? String(decoding: bytes, as: UTF8.self) : latin1(bytes)
    }

    package static func string(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { string($0) } }

    private static func latin1(_ bytes: UnsafeRawBufferPointer) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(Unicode.Scalar(byte)) }
        return String(text)
    }

    /// The bytes of a text from ``string(_:)``; `nil` if it contains a scalar above U+00FF, which no field has.
    package static func bytes(_ text: String) -> [UInt8]? {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return Array(text.utf8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// Copies the bytes of a text as they are sent.
    ///
    /// A text with a scalar above U+00FF is not from a field: it is sent as UTF-8.
    ///
    /// - Parameters:
    ///   - text: A result of ``string(_:)``.
    ///   - target: Has room for `text.utf8.count` bytes, the maximum.
    /// - Returns: The number of bytes copied.
    package static func copy(_ text: String, to target: UnsafeMutableRawPointer) -> Int {
        let copied: Int? = text.withBytes { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            guard bytes.isASCII else { return nil }
            UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyMemory(from: bytes)
            return bytes.count
        }
        if let copied { return copied }
        let bytes = bytes(text) ?? Array(text.utf8)
        UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyBytes(from: bytes)
        return bytes.count
    }

    /// The same value for a log or a page, whose text is UTF-8: most values that are not ASCII were UTF-8.
    ///
    /// A value that was not UTF-8 is shown as ISO 8859-1.
    package static func readable(_ text: String) -> String {
        guard let bytes = bytes(text), bytes.count != text.utf8.count else { return text }
        return String(validating: bytes, as: UTF8.self) ?? text
    }
}

extension UnsafeRawBufferPointer {
    /// Whether no byte is 0x80 or above.
    ///
    /// Eight bytes at a time, the last ones perhaps twice: most values are too short for a vectorised loop to be quicker.
    fileprivate var isASCII: Bool {
        guard count >= 8 else { return allSatisfy { $0 < 0x80 } }
        var all = loadUnaligned(fromByteOffset: count - 8, as: UInt64.self), offset = 0
        while offset + 8 < count {
            all |= loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        return all & 0x8080_8080_8080_8080 == 0
    }
}
