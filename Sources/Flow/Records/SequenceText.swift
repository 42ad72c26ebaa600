/// What is known of a text of a JSON sequence (RFC 7464) that has not ended: RS, a JSON text, LF.
///
/// A text may hold LF between its parts, and no RS. So it ends behind the first LF at which it has no string, array or
/// object open; or in front of the next RS, whatever it lacks: that is a truncated one, which its reader tells by that.
/// To wait for the next RS alone would hold each record back until the one behind it has come.
///
/// Several RS are one, as the RFC says. An empty line that no RS stands in front of is blank.
struct SequenceText: Equatable, Sendable {
    /// The text itself has begun: not only RS, or space.
    private(set) var hasBegun = false
    private var isMarked = false
    /// Up to where brackets and quotes have been counted.
    private var counted = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// Finds the end of the text.
    ///
    /// Where that is in front of an RS that follows an LF, nothing is counted: it ends there, closed or not.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of the text, as before.
    ///   - searched: From where on to look; moved to what has not been looked at.
    /// - Returns: What stands behind its last byte; `nil` where it has not ended yet.
    mutating func end(in bytes: UnsafeRawBufferPointer, from searched: inout Int) -> Int? {
        if !hasBegun, let end = begin(in: bytes, from: &searched) { return end }
        guard hasBegun else { return nil }
        while true {
            let found = bytes.place(of: .lineFeed, or: .recordSeparator, in: searched..<bytes.count)
            guard let newline = found else { return nil }
            if bytes[newline] == .recordSeparator { return newline }
            searched = newline + 1
            if searched < bytes.count, bytes[searched] == .recordSeparator { return searched }
            count(bytes, upTo: newline)
            if depth <= 0, !isInString { return searched }
        }
    }

    /// Passes over what stands in front of the text.
    ///
    /// - Returns: Where an empty line ends, in front of which there is no RS.
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

    /// Counts what is open.
    private mutating func count(_ bytes: UnsafeRawBufferPointer, upTo end: Int) {
        for place in counted..<end {
            let byte = bytes[place]
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

    /// Whether there is a text in these bytes, or only RS and space.
    static func hasText(_ bytes: UnsafeRawBufferPointer) -> Bool { textStart(bytes) < bytes.count }

    /// Behind every RS and space that stand in front of the text.
    static func textStart(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.firstIndex { $0 != .recordSeparator && !$0.isJSONSpace } ?? bytes.count
    }
}

extension UInt8 {
    /// What RFC 8259 calls whitespace.
    fileprivate var isJSONSpace: Bool {
        self == .lineFeed || self == .carriageReturn || self == UInt8(ascii: " ") || self == UInt8(ascii: "\t")
    }
}
