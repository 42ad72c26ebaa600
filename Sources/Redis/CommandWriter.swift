import NIOCore

/// Writes commands one after the other into one buffer, each as an array of bulk strings (RESP2).
///
/// A command announces the number of its words, and all of them must follow: otherwise the server would take those of the
/// next command for them.
///
/// - Complexity: O(bytes); no allocation once the buffer has grown.
package struct CommandWriter {
    /// The largest buffer that is kept for the next commands.
    private static let mostKept = 64 * 1024

    /// The commands since the last ``clear()``.
    private(set) var bytes = ByteBuffer()
    /// Words of the last command that have not followed yet.
    private var missing = 0

    package init() {}

    /// Begins a command.
    ///
    /// - Parameter words: Its name and its arguments.
    package mutating func begin(words: Int) {
        precondition(missing == 0, "a command with fewer words than it has announced")
        missing = words
        var line = ShortLine()
        line.prepend(Int64(words))
        line.prepend(UInt8(ascii: "*"))
        line.write(to: &bytes)
    }

    package mutating func write(_ word: String) { write("", word) }

    /// Writes two texts as one word.
    package mutating func write(_ first: String, _ second: String) {
        took(1)
        var line = ShortLine()
        line.prepend(Int64(first.utf8.count + second.utf8.count))
        line.prepend(UInt8(ascii: "$"))
        line.write(to: &bytes)
        if !first.isEmpty { bytes.writeString(first) }
        bytes.writeString(second)
        bytes.writeInteger(ShortLine.end)
    }

    /// Writes a decimal number as one word.
    package mutating func write(_ number: Int64) {
        took(1)
        var line = ShortLine()
        let length = line.prepend(number)
        line.prependEnd()
        line.prepend(Int64(length))
        line.prepend(UInt8(ascii: "$"))
        line.write(to: &bytes)
    }

    /// Removes the commands; their memory serves for the next ones, if the receiver of ``bytes`` has released it.
    mutating func clear() {
        precondition(missing == 0, "a command with fewer words than it has announced")
        if bytes.capacity > Self.mostKept { bytes = ByteBuffer() } else { bytes.clear() }
    }

    private mutating func took(_ words: Int) {
        precondition(missing >= words, "a command with more words than it has announced")
        missing -= words
    }
}

/// A line or two of which the last byte is written first, as are the digits of a number.
private struct ShortLine {
    /// CR and LF.
    static let end: UInt16 = 0x0D0A
    /// `$20`, a number of 19 digits and a sign, and two ends.
    private static let size = 27

    private var text = InlineArray<27, UInt8>(repeating: 0)
    private var start = Self.size

    /// An empty line.
    init() { prependEnd() }

    mutating func prepend(_ byte: UInt8) {
        start -= 1
        text[start] = byte
    }

    mutating func prependEnd() {
        prepend(UInt8(ascii: "\n"))
        prepend(UInt8(ascii: "\r"))
    }

    /// - Returns: The number of its digits, with its sign.
    @discardableResult
    mutating func prepend(_ number: Int64) -> Int {
        let last = start
        var rest = number.magnitude
        repeat {
            prepend(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        if number < 0 { prepend(UInt8(ascii: "-")) }
        return last - start
    }

    func write(to buffer: inout ByteBuffer) { buffer.writeBytes(text.span.extracting(start..<Self.size).bytes) }
}
