import HTTPText

/// The line before the bytes of a chunk: its size and its extensions (RFC 9112, section 7.1).
struct ChunkSize {
    /// The most digits of a size, leading zeros included.
    static let mostDigits = 16

    /// 0 for the last chunk.
    let bytes: Int
    /// Bytes after the size, which mean nothing here and are not sent on.
    let extensionBytes: Int

    /// Reads a line without its line end; `nil` if it is malformed.
    init?(_ line: UnsafeRawBufferPointer) {
        var size = 0, digits = 0
        while digits < line.count, let digit = line[digits].hexadecimalDigit {
            guard digits < Self.mostDigits, size <= Int.max >> 4 else { return nil }
            size = size << 4 | digit
            digits += 1
        }
        guard digits > 0 else { return nil }
        let extensions = line.from(digits)
        guard extensions.isEmpty || Self.areExtensions(extensions) else { return nil }
        (bytes, extensionBytes) = (size, extensions.count)
    }

    /// `*( BWS ";" … )`, of which only the begin and the class of each byte are checked (RFC 9112, section 7.1.1).
    private static func areExtensions(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first { !$0.isOptionalWhitespace } == UInt8(ascii: ";") && bytes.isFieldValue
    }
}
