/// Writes one JSON object, member by member in the order of the calls (RFC 8259).
///
/// - Complexity: O(bytes written), into one array.
package struct JSONText: Sendable {
    private var bytes: [UInt8]
    private var isEmpty = true

    /// Begins an object.
    ///
    /// - Parameter capacity: The bytes to reserve.
    package init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes.append(UInt8(ascii: "{"))
    }

    package mutating func add(_ name: String, _ value: String) {
        begin(name)
        append(quoted: value)
    }

    package mutating func add(_ name: String, _ value: Int) {
        begin(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    package mutating func add(_ name: String, _ value: Bool) {
        begin(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Adds a number in its shortest form; `null` if it is not finite, because JSON has no such number.
    package mutating func add(_ name: String, _ value: Double) {
        begin(name)
        bytes.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
    }

    /// Adds a duration as a number of seconds, rounded down to the microsecond.
    package mutating func add(_ name: String, seconds duration: Duration) {
        begin(name)
        let microseconds = duration.nanoseconds / 1000
        let (whole, rest) = microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        if microseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.append(contentsOf: String(whole).utf8)
        bytes.append(UInt8(ascii: "."))
        // A leading 1 keeps the zeros.
        var decimals = Substring(String(1_000_000 + rest)).dropFirst()
        while decimals.utf8.count > 1, decimals.utf8.last == UInt8(ascii: "0") { decimals.removeLast() }
        bytes.append(contentsOf: decimals.utf8)
    }

    /// Adds an array of strings.
    package mutating func add(_ name: String, _ values: [String]) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(quoted: value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    package mutating func addNull(_ name: String) {
        begin(name)
        bytes.append(contentsOf: "null".utf8)
    }

    /// Adds a value that is JSON already.
    package mutating func add(_ name: String, json value: [UInt8]) {
        begin(name)
        bytes.append(contentsOf: value)
    }

    /// Adds an array of values that are JSON already.
    package mutating func add(_ name: String, array values: [[UInt8]]) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        bytes.append(contentsOf: values.joined(separator: CollectionOfOne(UInt8(ascii: ","))))
        bytes.append(UInt8(ascii: "]"))
    }

    /// Ends the object and returns it, in UTF-8.
    package consuming func closed() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func begin(_ name: String) {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        append(quoted: name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        bytes.appendJSONEscaped(text)
        bytes.append(UInt8(ascii: "\""))
    }
}

extension [UInt8] {
    /// Appends text escaped for a JSON string: RFC 8259, section 7, and for readers of lines and terminals also DEL,
    /// the other control characters, the other line breaks, and characters that change the direction of text.
    ///
    /// A Swift string is always valid Unicode, so that no other error is possible.
    package mutating func appendJSONEscaped(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            var clean = 0
            for index in utf8.indices where utf8[index].mayBeEscapedInJSON {
                let (length, scalar) = utf8[index...].escapedScalar
                guard length > 0 else { continue }
                append(contentsOf: utf8[clean..<index])
                appendJSONEscape(of: scalar)
                clean = index + length
            }
            append(contentsOf: utf8[clean...])
        }
    }

    private mutating func appendJSONEscape(of scalar: UInt16) {
        append(UInt8(ascii: "\\"))
        switch scalar {
        case 0x22, 0x5C: append(UInt8(scalar))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0D: append(UInt8(ascii: "r"))
        case 0x09: append(UInt8(ascii: "t"))
        default:
            append(UInt8(ascii: "u"))
            for shift in [12, 8, 4, 0] { append(.hexDigit(UInt8(truncatingIfNeeded: scalar >> shift) & 0x0F)) }
        }
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    /// The scalar at the front if it is escaped, and its length in bytes; length 0 if it is not escaped.
    fileprivate var escapedScalar: (length: Int, scalar: UInt16) {
        let first = self[startIndex]
        // In valid UTF-8 the sequences that these bytes begin are complete.
        switch first {
        case 0xC2 where self[startIndex + 1] < 0xA0: return (2, UInt16(self[startIndex + 1]))
        case 0xE2:
            let scalar = 0x2000 | UInt16(self[startIndex + 1] & 0x3F) << 6 | UInt16(self[startIndex + 2] & 0x3F)
            let isEscaped = (0x2028...0x202E).contains(scalar) || (0x2066...0x2069).contains(scalar)
            return (isEscaped ? 3 : 0, scalar)
        case 0xC2: return (0, 0)
        default: return (1, UInt16(first))
        }
    }
}

extension UInt8 {
    /// Whether it is escaped, or begins a sequence that may be.
    fileprivate var mayBeEscapedInJSON: Bool {
        self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\") || self == 0x7F || self == 0xC2
            || self == 0xE2
    }

    /// The lower-case hexadecimal digit of a value below 16.
    static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }
}
