/// Field values as text without a loss: a value is bytes, and no encoding is known (RFC 9110, section 5.5).
///
/// weir holds a value as a `String` with one Unicode scalar, U+0000 to U+00FF, for each byte: ISO 8859-1. Two values that
/// differ in one byte are two strings, and the bytes that are sent on are those that were received. Nearly all values are
/// ASCII, for which this is the same as UTF-8 and costs one look at each byte.
package enum FieldText {
    /// The text of these bytes.
    ///
    /// - Complexity: O(`bytes.count`).
    package static func string(_ bytes: some Collection<UInt8>) -> String {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return String(decoding: bytes, as: UTF8.self) }
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(Unicode.Scalar(byte)) }
        return String(text)
    }

    /// The same, for memory of C.
    package static func string(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return String(decoding: bytes, as: UTF8.self) }
        return string(Array(bytes))
    }

    /// The bytes of a text that ``string(_:)`` made; `nil` if it holds a scalar above U+00FF, which no field has.
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

    /// Writes the bytes of a text that ``string(_:)`` made; of any other text its UTF-8.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            bytes.append(contentsOf: text.utf8)
        } else {
            bytes.append(contentsOf: Self.bytes(text) ?? Array(text.utf8))
        }
    }

    /// The same value for a log or a page, whose text is UTF-8: most values that are not ASCII were UTF-8.
    ///
    /// A value that was not is shown as ISO 8859-1.
    package static func readable(_ text: String) -> String {
        guard let bytes = bytes(text), bytes.count != text.utf8.count else { return text }
        return String(validating: bytes, as: UTF8.self) ?? text
    }
}
