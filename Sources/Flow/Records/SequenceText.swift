/// The parse state of an incomplete text of a JSON sequence (RFC 7464): RS, a JSON text, LF.
///
/// A text may contain LF between its parts, and no RS. So it ends after the first LF at which no string, array or
/// object is open; or before the next RS, complete or not: then it is truncated, which its reader detects. To wait only
/// for the next RS would delay each record until the next one arrives.
///
/// Several RS are one, as the RFC says. An empty line that has no RS before it is blank.
struct SequenceText: Equatable, Sendable {
    /// The text itself has begun: there is more than RS or space.
    private(set) var hasBegun = false
    private var isMarked = false
    /// The offset up to which brackets and quotes have been counted.
    private var counted = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// Finds the end of the text.
    ///
    /// An end before an RS that follows an LF needs no count of brackets: the text ends there, complete or not.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of the text, as before.
    ///   - searched: The offset at which the search begins; moved to the first byte that was not searched.
    /// - Returns: The index after its last byte; `nil` if it has not ended yet.
    mutating func end(in bytes: UnsafeRawBufferPointer, from searched: inout Int) -> Int? {
        if !hasBegun, let end = begin(in: bytes, from: &searched) { return end }
        guard hasBegun else { return nil }
        while true {
            let found = bytes.offset(of: .lineFeed, or: .recordSeparator, in: searched..<bytes.count)
            guard let newline = found else { return nil }
            if bytes[newline] == .recordSeparator { return newline }
            searched = newline + 1
            if searched < bytes.count, bytes[searched] == .recordSeparator { return searched }
            count(bytes, upTo: newline)
            if depth <= 0, !isInString { return searched }
        }
    }

    /// Skips the bytes before the text.
    ///
    /// - Returns: The index after an empty line that has no RS before it.
    private mutating func begin(in bytes: UnsafeRawBufferPointer, from searched: inout Int) -> Int? {
        while searched < bytes.count {
            switch bytes[searched] {
            case .recordSeparator: isMarked = true
            case .lineFeed where !isMarked: return searched + 1
            case let byte where byte.isJSONSpace: break
            default:
                (hasBegun, counted) = (true, searched)
                return nil
            }
            searched += 1
        }
        return nil
    }

    /// Counts the open brackets and quotes.
    private mutating func count(_ bytes: UnsafeRawBufferPointer, upTo end: Int) {
        for index in counted..<end {
            let byte = bytes[index]
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
            }
        }
        counted = end
    }

    /// Whether these bytes contain a text, not only RS and space.
    static func hasText(_ bytes: UnsafeRawBufferPointer) -> Bool { textStart(bytes) < bytes.count }

    /// The index after every RS and space before the text.
    static func textStart(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.firstIndex { $0 != .recordSeparator && !$0.isJSONSpace } ?? bytes.count
    }
}

extension UInt8 {
    /// The whitespace of RFC 8259.
    fileprivate var isJSONSpace: Bool {
        self == .lineFeed || self == .carriageReturn || self == UInt8(ascii: " ") || self == UInt8(ascii: "\t")
    }
}
