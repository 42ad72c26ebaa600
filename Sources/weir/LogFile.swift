import LogReport

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An open file of log lines, or standard input.
struct LogFile: ~Copyable {
    /// The identity of a file, independent of its name.
    struct Identity: Equatable {
        let device: UInt
        let number: UInt
    }

    private let descriptor: Int32
    private var reader = LogReader()
    /// Bytes read so far.
    private(set) var offset = 0

    /// The size of a read: larger ones are not faster for pipes and disks.
    private static let chunk = 1 << 18

    /// Opens a file; `-` is standard input.
    init(path: String) throws(LogFileError) {
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
    }

    deinit { if descriptor != STDIN_FILENO { _ = close(descriptor) } }

    /// Reads a piece and passes on the lines that end in it; `room` is reused for each.
    ///
    /// - Returns: Whether there were bytes: `false` at the current end of the file.
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

    /// Passes on a last line without a newline.
    mutating func finish(line: (UnsafeRawBufferPointer) -> Void) throws(LogFileError) {
        do throws(LogReader.Failure) { try reader.finish(line: line) } catch { throw .content(error) }
    }

    /// Rewinds a file that was truncated.
    mutating func rewind() {
        _ = lseek(descriptor, 0, SEEK_SET)
        reader = LogReader()
        offset = 0
    }

    /// Whether bytes or the end of the file can be read within a timeout; always true for a regular file.
    func isReady(within milliseconds: Int32) -> Bool {
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waited, 1, milliseconds) > 0
    }

    /// The identity of the file and its current size.
    var state: (identity: Identity, size: Int)? {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 ? Self.state(facts) : nil
    }

    /// The identity and size of the file with this name; `nil` if there is none.
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
        case .content(.damaged): "the gzip data is damaged; the lines before the damage were counted"
        case .content(.cutShort): "the gzip data is incomplete; the lines before its end were counted"
        case .content(.noMemory): "not enough memory to decompress it"
        }
    }

    /// Whether the file does not exist; it may be created later.
    var isAbsence: Bool {
        if case .system(ENOENT) = self { return true }
        return false
    }
}
