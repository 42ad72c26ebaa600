/// A block of server-sent events: lines up to an empty one (HTML, section 9.2.6).
///
/// Lines end with LF, CR or CR LF, in any mixture. A block is an event, and so a record, if it has a field with the
/// name `data`: only for such a block does a reader dispatch an event. A block with only an `id:` is no record.
///
/// A comment or a `retry:` before a block is a block of one line, without an empty line: it takes effect when its line
/// ends, and HTML, section 9.2.7, recommends single comment lines as keep-alive. Within a block it belongs to the
/// block.
///
/// A CR at the end of a block waits for the next byte, which is the LF of every server that writes CR LF; unless it
/// follows another CR: then the server ends its lines with CR, and nothing needs to wait. The CR of a line of its own
/// waits as well.
enum EventBlock {
    /// Finds the end of the first block.
    ///
    /// - Parameters:
    ///   - bytes: The input, beginning at the start of a block.
    ///   - searched: The number of bytes that are known not to end it; the last two of them are searched again.
    /// - Returns: The index after its empty line, or after its only line; `nil` if it has not ended yet.
    static func end(in bytes: UnsafeRawBufferPointer, searched: Int = 0) -> Int? {
        var start = max(0, searched - 2)
        if let first = bytes.first, mayBeAlone(first) {
            if isOutsideEvents(bytes) { return firstLineEnd(in: bytes, searched: searched) }
            if start == 0, let end = emptyLine(in: bytes, at: 0) { return end }
            if start == 0, first == .carriageReturn { return nil }
        }
        while let line = lineEnd(in: bytes, from: start) {
            if let end = emptyLine(in: bytes, at: line.next) { return end }
            start = line.next
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

    /// Whether the first line is a comment or `retry`, which belong to an event only within its block.
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
        let mayBePair = line.next == bytes.count && bytes[line.next - 1] == .carriageReturn
        return mayBePair ? nil : line.next
    }

    /// Whether the name of a field ends before this byte.
    @inline(__always)
    private static func endsName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == .lineFeed || byte == .carriageReturn
    }

    /// The end of an empty line at this index; `nil` if there is none, or none yet.
    @inline(__always)
    private static func emptyLine(in bytes: UnsafeRawBufferPointer, at index: Int) -> Int? {
        guard index < bytes.count else { return nil }
        if bytes[index] == .lineFeed { return index + 1 }
        guard bytes[index] == .carriageReturn else { return nil }
        if index > 0, bytes[index - 1] == .carriageReturn { return index + 1 }
        guard index + 1 < bytes.count else { return nil }
        return bytes[index + 1] == .lineFeed ? index + 2 : index + 1
    }

    /// Whether a block that ends with the stream is whole: it has its empty line, whose CR waited for an LF.
    static func isWholeAtEnd(_ block: UnsafeRawBufferPointer) -> Bool {
        block.last == .carriageReturn && (block.count == 1 || block[block.count - 2] == .lineFeed)
    }

    /// Whether a whole block is an event.
    static func isEvent(_ block: UnsafeRawBufferPointer) -> Bool {
        var start = textStart(block)
        if isData(block, at: start) { return true }
        while let line = lineEnd(in: block, from: start) {
            start = line.next
            if isData(block, at: start) { return true }
        }
        return false
    }

    /// The index after a byte order mark, which may begin the stream; no other block has one.
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

    /// The values of a block's `data` fields, in order; a reader joins them with LF.
    static func data(in block: UnsafeRawBufferPointer) -> [Range<Int>] {
        var values: [Range<Int>] = []
        var start = textStart(block)
        while start < block.count {
            let line = lineEnd(in: block, from: start) ?? (end: block.count, next: block.count)
            if isData(block, at: start) {
                var value = min(start + 5, line.end)
                if value < line.end, block[value] == UInt8(ascii: " ") { value += 1 }
                values.append(value..<line.end)
            }
            start = line.next
        }
        return values
    }

    /// The value of a block's last `id` field; `nil` if it has none, or one that readers ignore because of a NUL.
    static func id(in block: UnsafeRawBufferPointer) -> Range<Int>? {
        var value: Range<Int>?
        var start = textStart(block)
        while start < block.count {
            let line = lineEnd(in: block, from: start) ?? (end: block.count, next: block.count)
            if block.count - start >= 3, block[start] == UInt8(ascii: "i"), block[start + 1] == UInt8(ascii: "d"),
                endsName(block[start + 2])
            {
                var first = min(start + 3, line.end)
                if first < line.end, block[first] == UInt8(ascii: " ") { first += 1 }
                if block.offset(of: 0, in: first..<line.end) == nil { value = first..<line.end }
            }
            start = line.next
        }
        return value
    }

    /// The end of the line that contains this index, and the index after its line end; `nil` if it has none.
    @inline(__always)
    private static func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> (end: Int, next: Int)? {
        guard let end = bytes.offset(of: .lineFeed, or: .carriageReturn, in: start..<bytes.count) else { return nil }
        let isPair = bytes[end] == .carriageReturn && end + 1 < bytes.count && bytes[end + 1] == .lineFeed
        return (end, isPair ? end + 2 : end + 1)
    }
}
