#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Splits bytes into lines, independent of the chunks.
///
/// A line longer than ``longestLine`` is passed on as an empty one, so that it is not counted as a log line: no input
/// makes it buffer more.
package struct LineSplitter {
    /// In bytes; the request line is bounded by `max_header_bytes`, which is far below.
    package static let longestLine = 1 << 20

    private var rest: [UInt8] = []
    /// Whether the line that `rest` would begin is too long; its bytes are ignored.
    private var isOverlong = false

    package init() {}

    /// Takes the next bytes and passes on each line that ends in them, without its newline.
    ///
    /// - Complexity: O(`chunk.count`); copies only the lines at the edges of chunks.
    package mutating func push(_ chunk: UnsafeRawBufferPointer, line: (UnsafeRawBufferPointer) -> Void) {
        var chunk = chunk
        while let base = chunk.baseAddress, !chunk.isEmpty {
            guard let newline = memchr(base, Int32(UInt8(ascii: "\n")), chunk.count) else { return keep(chunk) }
            let length = base.distance(to: UnsafeRawPointer(newline))
            let head = UnsafeRawBufferPointer(start: base, count: length)
            if rest.isEmpty, !isOverlong {
                line(length > Self.longestLine ? UnsafeRawBufferPointer(start: base, count: 0) : head)
            } else {
                keep(head)
                passRest(line)
            }
            chunk = UnsafeRawBufferPointer(rebasing: chunk[(length + 1)...])
        }
    }

    /// Passes on the bytes after the last newline, at the end of a file.
    package mutating func finish(line: (UnsafeRawBufferPointer) -> Void) {
        guard isOverlong || !rest.isEmpty else { return }
        passRest(line)
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        guard !isOverlong else { return }
        isOverlong = rest.count + bytes.count > Self.longestLine
        if isOverlong { rest.removeAll() } else { rest.append(contentsOf: bytes) }
    }

    private mutating func passRest(_ line: (UnsafeRawBufferPointer) -> Void) {
        rest.withUnsafeBytes(line)
        rest.removeAll(keepingCapacity: true)
        isOverlong = false
    }
}
