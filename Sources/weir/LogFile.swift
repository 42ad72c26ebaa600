import LogReport

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An open file of log lines, or standard input.
struct LogFile: ~Copyable {
    /// What tells one file from another under the same name.
    struct Identity: Equatable {
        let device: UInt
        let number: UInt
    }

    private let descriptor: Int32
    private var reader = LogReader()
    /// Bytes read so far.
    private(set) var offset = 0

    /// A read is as large as a pipe's or a disk's own pieces are worth.
    private static let chunk = 1 << 18

    /// Opens a file; `-` is standard input.
    init(path: String) throws(LogFileError) {
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
    }

    deinit { if descriptor != STDIN_FILENO { _ = close(descriptor) } }

    /// Reads a piece and tells the lines that it ends; `room` is used again for each.
    ///
    /// - Returns: Whether there was any: `false` at the end of what there is so far.
    mutating func readSome(
        into room: inout [UInt8], line: (UnsafeRawBufferPointer) -> Void
    ) throws(LogFileError) -> Bool {
        if room.count < Self.chunk { room = Array(repeating: 0, count: Self.chunk) }
        var count = -1
        repeat { count = read(descriptor, &room, room.count) } while count < 0 && errno == EINTR
        guard count >= 0 else { throw .system(errno) }
        offset += count
        var failure: LogFileError?
        room.withUnsafeBytes { bytes in
            do throws(LogReader.Failure) {
                try reader.push(UnsafeRawBufferPointer(rebasing: bytes[..<count]), line: line)
            } catch {
                failure = .content(error)
            }
        }
        if let failure { throw failure }
        return count > 0
    }

    /// Tells a last line that has no newline.
    mutating func finish(line: (UnsafeRawBufferPointer) -> Void) throws(LogFileError) {
        do throws(LogReader.Failure) { try reader.finish(line: line) } catch { throw .content(error) }
    }

    /// Goes back to the beginning of a file that has been emptied.
    mutating func rewind() {
        _ = lseek(descriptor, 0, SEEK_SET)
        reader = LogReader()
        offset = 0
    }

    /// Whether there is something to be read, or the end of it, within so long; a regular file always says yes.
    func isReady(within milliseconds: Int32) -> Bool {
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waited, 1, milliseconds) > 0
    }

    /// Which file this is, and its size now.
    var state: (identity: Identity, size: Int)? {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 ? Self.state(facts) : nil
    }

    /// Which file stands under a name now; `nil` where there is none.
    static func state(of path: String) -> (identity: Identity, size: Int)? {
        var facts = stat()
        return stat(path, &facts) == 0 ? state(facts) : nil
    }

    private static func state(_ facts: stat) -> (identity: Identity, size: Int) {
        (Identity(device: UInt(facts.st_dev), number: UInt(facts.st_ino)), Int(facts.st_size))
    }
}

enum LogFileError: Error, CustomStringConvertible {
    case system(Int32)
    case content(LogReader.Failure)

    var description: String {
        switch self {
        case .system(let number): String(cString: strerror(number))
        case .content(.damaged): "the gzip data is damaged; what stands in front of the damage was counted"
        case .content(.cutShort): "the gzip data ends before its end; what there is was counted"
        case .content(.noMemory): "no memory to unpack it"
        }
    }

    /// There is no such file, which may yet come.
    var isAbsence: Bool {
        if case .system(ENOENT) = self { return true }
        return false
    }
}
