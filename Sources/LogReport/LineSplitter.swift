#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Cuts bytes into lines, wherever the chunks were cut.
///
/// A line longer than ``longestLine`` is told as an empty one, so that it counts as no log line: no file makes it hold
/// more.
package struct LineSplitter {
    /// In bytes; the request line of weir is bounded by `max_header_bytes`, which is far below.
    package static let longestLine = 1 << 20

    private var rest: [UInt8] = []
    /// The line that `rest` would be the beginning of is too long; its bytes are passed over.
    private var isOverlong = false

    package init() {}

    /// Takes the next bytes and tells each line that they end, without its newline.
    ///
    /// - Complexity: O(`chunk.count`); copies only what stands at the edges of chunks.
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
                tellRest(line)
            }
            chunk = UnsafeRawBufferPointer(rebasing: chunk[(length + 1)...])
        }
    }

    /// Tells what stands behind the last newline, as the end of a file does.
    package mutating func finish(line: (UnsafeRawBufferPointer) -> Void) {
        guard isOverlong || !rest.isEmpty else { return }
        tellRest(line)
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        guard !isOverlong else { return }
        isOverlong = rest.count + bytes.count > Self.longestLine
        if isOverlong { rest.removeAll() } else { rest.append(contentsOf: bytes) }
    }

    private mutating func tellRest(_ line: (UnsafeRawBufferPointer) -> Void) {
        rest.withUnsafeBytes(line)
        rest.removeAll(keepingCapacity: true)
        isOverlong = false
    }
}
