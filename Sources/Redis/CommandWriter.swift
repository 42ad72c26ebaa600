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
        append(0) { $0.addLine(UInt8(ascii: "*"), words) }
    }

    package mutating func write(_ word: String) { write("", word) }

    /// Writes two texts as one word.
    package mutating func write(_ first: String, _ second: String) {
        takeWord()
        let count = first.utf8.count + second.utf8.count
        append(count) { text in
            text.addLine(UInt8(ascii: "$"), count)
            text.add(first)
            text.add(second)
            text.addEnd()
        }
    }

    /// Writes a decimal number as one word.
    package mutating func write(_ number: Int64) {
        takeWord()
        append(0) { text in
            let digits = Text.digits(of: number)
            text.addLine(UInt8(ascii: "$"), digits)
            text.add(number, digits: digits)
            text.addEnd()
        }
    }

    /// Removes the commands; their memory serves for the next ones, if the receiver of ``bytes`` has released it.
    mutating func clear() {
        precondition(missing == 0, "a command with fewer words than it has announced")
        if bytes.capacity > Self.mostKept { bytes = ByteBuffer() } else { bytes.clear() }
    }

    private mutating func takeWord() {
        precondition(missing > 0, "a command with more words than it has announced")
        missing -= 1
    }

    /// Appends a text of at most `count` bytes, one number, the number of its bytes and the ends of two lines.
    @inline(__always)
    private mutating func append(_ count: Int, _ write: (inout Text) -> Void) {
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count + 2 * Text.longestLine) { room in
            var text = Text(room: room)
            write(&text)
            return text.count
        }
    }
}

/// Text in a room that its creator has made large enough.
///
/// Inlined, because each call would cost more than the bytes that it adds.
private struct Text {
    /// A type or a sign, 19 digits, CR and LF.
    static let longestLine = 22

    let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(room: UnsafeMutableRawBufferPointer) { self.room = room }

    @inline(__always)
    mutating func add(_ byte: UInt8) {
        room[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func addEnd() {
        add(UInt8(ascii: "\r"))
        add(UInt8(ascii: "\n"))
    }

    @inline(__always)
    mutating func addLine(_ type: UInt8, _ number: Int) {
        add(type)
        // Most lengths and counts are short.
        if number < 10 {
            add(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number))
        } else {
            add(Int64(number), digits: Self.digits(of: Int64(number)))
        }
        addEnd()
    }

    @inline(__always)
    mutating func add(_ text: String) {
        var text = text
        count += text.withUTF8 { utf8 in
            guard let place = room.baseAddress?.advanced(by: count), let first = utf8.baseAddress else { return 0 }
            place.copyMemory(from: first, byteCount: utf8.count)
            return utf8.count
        }
    }

    /// Adds a number in decimal.
    @inline(__always)
    mutating func add(_ number: Int64, digits: Int) {
        count += digits
        var place = count, rest = number.magnitude
        repeat {
            place -= 1
            let (tens, unit) = rest.quotientAndRemainder(dividingBy: 10)
            room[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: unit)
            rest = tens
        } while rest > 0
        if number < 0 { room[place - 1] = UInt8(ascii: "-") }
    }

    /// The bytes of a number in decimal.
    static func digits(of number: Int64) -> Int {
        var digits = number < 0 ? 2 : 1
        var rest = number.magnitude / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        return digits
    }
}
