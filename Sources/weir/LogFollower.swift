import LogReport

/// Reads a file as it grows, like `tail -F`.
///
/// It follows the name: it continues with the new file after a rotation, from the beginning after a truncation, and
/// waits for a file that does not exist yet.
struct LogFollower: ~Copyable {
    private let path: String
    private var file: LogFile?
    private var room: [UInt8] = []
    /// Whether no more lines will arrive: the end of standard input, or a file that cannot be read.
    private(set) var hasEnded = false

    init(path: String) { self.path = path }

    /// Reads the lines since the last call, at most this many pieces of the file.
    ///
    /// - Returns: Whether more may be available at once.
    mutating func catchUp(pieces: Int, line: (UnsafeRawBufferPointer) -> Void) throws(LogFileError) -> Bool {
        do {
            return try read(pieces: pieces, line: line)
        } catch {
            hasEnded = true
            throw error
        }
    }

    private mutating func read(pieces: Int, line: (UnsafeRawBufferPointer) -> Void) throws(LogFileError) -> Bool {
        guard !hasEnded, try open() else { return false }
        for _ in 0..<pieces {
            // Standard input may be a pipe without data.
            if path == "-", file?.isReady(within: 0) == false { return false }
            let hasRead = try file?.readSome(into: &room, line: line) ?? false
            if !hasRead { return try end(line) }
        }
        return true
    }

    /// Opens the file if it is not open; `false` if it does not exist.
    private mutating func open() throws(LogFileError) -> Bool {
        guard file == nil else { return true }
        do throws(LogFileError) {
            file = try LogFile(path: path)
        } catch {
            guard error.isAbsence else { throw error }
            return false
        }
        return true
    }

    /// At the current end of the file: checks whether the name still refers to this file.
    ///
    /// - Returns: Whether more can be read at once.
    private mutating func end(_ line: (UnsafeRawBufferPointer) -> Void) throws(LogFileError) -> Bool {
        if path == "-" {
            hasEnded = true
            try file?.finish(line: line)
            return false
        }
        guard let own = file?.state, let offset = file?.offset else { return false }
        if own.size < offset {
            // A line that was cut by the truncation is incomplete, and does not count.
            try? file?.finish(line: line)
            file?.rewind()
            return true
        }
        guard let named = LogFile.state(of: path), named.identity != own.identity else { return false }
        // The writer may have written between the last read and the rename.
        while try file?.readSome(into: &room, line: line) ?? false {}
        try file?.finish(line: line)
        file = nil
        return true
    }

    /// Stops following: passes on a last line without a newline.
    mutating func finish(line: (UnsafeRawBufferPointer) -> Void) {
        guard !hasEnded else { return }
        hasEnded = true
        try? file?.finish(line: line)
    }
}
