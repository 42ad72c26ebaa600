import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A pipe whose writing end waits when it is full.
struct Pipe: ~Copyable {
    let readEnd: Int32, writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Fills the pipe, so that the next write waits.
    ///
    /// - Returns: How many bytes it took.
    func fill() -> Int {
        let flags = fcntl(writeEnd, F_GETFL)
        _ = fcntl(writeEnd, F_SETFL, flags | O_NONBLOCK)
        defer { _ = fcntl(writeEnd, F_SETFL, flags) }
        let zeros = [UInt8](repeating: 0, count: 4096)
        var filled = 0
        while true {
            let count = write(writeEnd, zeros, zeros.count)
            guard count > 0 else { return filled }
            filled += count
        }
    }

    /// Reads exactly this number of bytes, and waits for them.
    func read(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let taken = Glibc.read(readEnd, &chunk, min(chunk.count, count - bytes.count))
            guard taken > 0 else { break }
            bytes.append(contentsOf: chunk[..<taken])
        }
        return bytes
    }

    /// Reads one line, without its newline, and waits for it.
    func line() -> String {
        var line: [UInt8] = []
        while let byte = read(1).first, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }
}
