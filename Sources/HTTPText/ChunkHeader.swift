/// Reads the line before the bytes of a chunk, byte by byte: its size and its extensions (RFC 9112, section 7.1).
///
/// Both the requests of clients and the responses of upstreams are read by it: two parsers of one grammar may disagree.
package struct ChunkHeader {
    /// What is malformed in a line.
    package enum Fault: Error {
        /// The size is missing, or something other than an extension follows it.
        case size
        /// The size has more digits than ``maximumDigits``, or does not fit.
        case tooLarge
        /// An extension has a control character.
        case controlCharacter
    }

    @usableFromInline enum State {
        case size
        /// After white space that follows the size, which only an extension may follow.
        case beforeExtension
        case inExtension
    }

    /// The most digits of a size, leading zeros included; libcurl reads as many.
    @inlinable package static var maximumDigits: Int { 16 }

    @usableFromInline var value = 0
    @usableFromInline var digits = 0
    @usableFromInline var extensions = 0
    @usableFromInline var state = State.size

    @inlinable package init() {}

    /// Reads a whole line without its line end; `nil` if it is malformed.
    ///
    /// - Complexity: O(`line.count`).
    package init?(line: UnsafeRawBufferPointer) {
        for byte in line { guard (try? take(byte)) != nil else { return nil } }
        guard isComplete else { return nil }
    }

    /// The size so far; 0 for the last chunk.
    @inlinable package var size: Int { value }

    /// The number of bytes after the size, which weir ignores and does not forward.
    @inlinable package var extensionBytes: Int { extensions }

    /// Whether the line may end here.
    @inlinable package var isComplete: Bool { digits > 0 && state != .beforeExtension }

    /// Reads the next byte of the line.
    @inlinable package mutating func take(_ byte: UInt8) throws(Fault) {
        guard state == .size else { return try takeExtension(byte) }
        if let digit = byte.hexadecimalDigit {
            guard digits < Self.maximumDigits, value <= Int.max >> 4 else { throw .tooLarge }
            value = value << 4 | digit
            digits += 1
        } else if digits > 0, byte == UInt8(ascii: ";") || byte.isOptionalWhitespace {
            state = byte == UInt8(ascii: ";") ? .inExtension : .beforeExtension
            extensions = 1
        } else {
            throw .size
        }
    }

    /// `*( BWS ";" … )`, of which only the start and the class of each byte are checked (RFC 9112, section 7.1.1).
    @usableFromInline mutating func takeExtension(_ byte: UInt8) throws(Fault) {
        if state == .beforeExtension {
            if byte == UInt8(ascii: ";") { state = .inExtension } else if !byte.isOptionalWhitespace { throw .size }
        }
        guard byte.isFieldValueByte else { throw .controlCharacter }
        extensions += 1
    }
}
