/// A block of server-sent events: lines up to an empty one (HTML, section 9.2.6).
///
/// Lines end with LF, CR or CR LF, in any mixture. A block is an event, and so a record, if a line of it is a field of the
/// name `data`: only for such a block does a reader dispatch an event. A block of `id:` alone is no record.
///
/// A comment or a `retry:` before a block is a block of one line, without an empty line: it acts when its line ends,
/// and HTML, section 9.2.7, recommends single comment lines as keep-alive. Within a block it belongs to it.
///
/// A CR at the end of a block waits for the next byte, which is the LF of every server that writes CR LF; unless it follows
/// another CR: then the server ends its lines so, and nothing needs to wait. The CR of a line of its own waits as well.
enum EventBlock {
    /// Finds the end of the first block.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a block.
    ///   - searched: How many bytes of it are known not to end it; of those, the last two are looked at again.
    /// - Returns: The index after its empty line, or after its only line; `nil` if it has not ended yet.
    static func end(in bytes: UnsafeRawBufferPointer, searched: Int = 0) -> Int? {
        var start = max(0, searched - 2)
        if let first = bytes.first, mayBeAlone(first) {
            if isOutsideEvents(bytes) { return firstLineEnd(in: bytes, searched: searched) }
            if start == 0, let end = emptyLine(in: bytes, at: 0) { return end }
            if start == 0, first == .carriageReturn { return nil }
        }
        while let line = lineEnd(in: bytes, from: start) {
            if let end = emptyLine(in: bytes, at: line.behind) { return end }
            start = line.behind
        }
        return nil
    }

    /// Whether the line that begins with this byte may be a block by itself; most blocks begin otherwise.
    @inline(__always)
    private static func mayBeAlone(_ first: UInt8) -> Bool {
        switch first {
        case .lineFeed, .carriageReturn, UInt8(ascii: ":"), UInt8(ascii: "r"), 0xEF: true
        default: false
        }
    }

    /// Whether the first line is a comment or `retry`, which are part of no event unless they are within its block.
    private static func isOutsideEvents(_ block: UnsafeRawBufferPointer) -> Bool {
        let start = textStart(block)
        guard start < block.count, block[start] != UInt8(ascii: ":") else { return start < block.count }
        guard block[start] == UInt8(ascii: "r"), block.count - start >= 6, block[start + 1] == UInt8(ascii: "e"),
            block[start + 2] == UInt8(ascii: "t"), block[start + 3] == UInt8(ascii: "r"),
            block[start + 4] == UInt8(ascii: "y")
        else { return false }
        return endsName(block[start + 5])
    }

    /// The index after the first line; `nil` if it has not ended, or ends with a CR whose LF may follow.
    private static func firstLineEnd(in bytes: UnsafeRawBufferPointer, searched: Int) -> Int? {
        guard let line = lineEnd(in: bytes, from: max(0, searched - 1)) else { return nil }
        let mayBePair = line.behind == bytes.count && bytes[line.behind - 1] == .carriageReturn
        return mayBePair ? nil : line.behind
    }

    /// Whether the name of a field ends before this byte.
    @inline(__always)
    private static func endsName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == .lineFeed || byte == .carriageReturn
    }

    /// Where an empty line at this place ends; `nil` where there is none, or none yet.
    @inline(__always)
    private static func emptyLine(in bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
        guard place < bytes.count else { return nil }
        if bytes[place] == .lineFeed { return place + 1 }
        guard bytes[place] == .carriageReturn else { return nil }
        if place > 0, bytes[place - 1] == .carriageReturn { return place + 1 }
        guard place + 1 < bytes.count else { return nil }
        return bytes[place + 1] == .lineFeed ? place + 2 : place + 1
    }

    /// Whether a block that ends with the stream is whole: the empty line is there, its last CR waited for an LF.
    static func isWholeAtEnd(_ block: UnsafeRawBufferPointer) -> Bool {
        block.last == .carriageReturn && (block.count == 1 || block[block.count - 2] == .lineFeed)
    }

    /// Whether a whole block is an event.
    static func isEvent(_ block: UnsafeRawBufferPointer) -> Bool {
        var start = textStart(block)
        if isData(block, at: start) { return true }
        while let line = lineEnd(in: block, from: start) {
            start = line.behind
            if isData(block, at: start) { return true }
        }
        return false
    }

    /// Behind a byte order mark, which may stand in front of the stream; in front of any other block there is none.
    static func textStart(_ block: UnsafeRawBufferPointer) -> Int {
        block.count >= 3 && block[0] == 0xEF && block[1] == 0xBB && block[2] == 0xBF ? 3 : 0
    }

    /// Whether the field at the start of this line is `data`.
    @inline(__always)
    private static func isData(_ block: UnsafeRawBufferPointer, at start: Int) -> Bool {
        guard block.count - start >= 5, block[start] == UInt8(ascii: "d"), block[start + 1] == UInt8(ascii: "a"),
            block[start + 2] == UInt8(ascii: "t"), block[start + 3] == UInt8(ascii: "a")
        else { return false }
        return endsName(block[start + 4])
    }

    /// The values of a block's `data` fields, in order: what a reader joins by LF.
    static func data(in block: UnsafeRawBufferPointer) -> [Range<Int>] {
        var values: [Range<Int>] = []
        var start = textStart(block)
        while start < block.count {
            let line = lineEnd(in: block, from: start) ?? (end: block.count, behind: block.count)
            if isData(block, at: start) {
                var value = min(start + 5, line.end)
                if value < line.end, block[value] == UInt8(ascii: " ") { value += 1 }
                values.append(value..<line.end)
            }
            start = line.behind
        }
        return values
    }

    /// Where the line that begins or goes on at a place ends, and what is behind its end; `nil` where it has none.
    @inline(__always)
    private static func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> (end: Int, behind: Int)? {
        guard let end = bytes.place(of: .lineFeed, or: .carriageReturn, in: start..<bytes.count) else { return nil }
        let isPair = bytes[end] == .carriageReturn && end + 1 < bytes.count && bytes[end + 1] == .lineFeed
        return (end, isPair ? end + 2 : end + 1)
    }
}
