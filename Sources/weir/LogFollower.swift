import LogReport

/// Reads files as they grow, like `tail -F`: by name, so that it goes on with the new file after a rotation, from the
/// beginning after the file has been emptied, and waits for one that is not there yet.
struct LogFollower: ~Copyable {
    private let path: String
    private var file: LogFile?
    private var room: [UInt8] = []
    /// Nothing more will come: the end of standard input, or a file that cannot be read.
    private(set) var hasEnded = false

    init(path: String) { self.path = path }

    /// Reads what has come since the last call, at most so many pieces of it.
    ///
    /// - Returns: Whether there may be more at once.
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
            // Standard input may be a pipe that nobody writes to.
            if path == "-", file?.isReady(within: 0) == false { return false }
            let hasRead = try file?.readSome(into: &room, line: line) ?? false
            if !hasRead { return try end(line) }
        }
        return true
    }

    /// Opens the file where it is not; `false` where there is none.
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

    /// At the end of what there is: decides whether it is still the file of that name.
    ///
    /// - Returns: Whether there is another to be read at once.
    private mutating func end(_ line: (UnsafeRawBufferPointer) -> Void) throws(LogFileError) -> Bool {
        if path == "-" {
            hasEnded = true
            try file?.finish(line: line)
            return false
        }
        guard let own = file?.state, let offset = file?.offset else { return false }
        if own.size < offset {
            // What was torn by it is no whole line, and counts as none.
            try? file?.finish(line: line)
            file?.rewind()
            return true
        }
        guard let named = LogFile.state(of: path), named.identity != own.identity else { return false }
        // Between the last read and the rename the writer may have gone on.
        while try file?.readSome(into: &room, line: line) ?? false {}
        try file?.finish(line: line)
        file = nil
        return true
    }

    /// Gives up: tells a last line that has no newline.
    mutating func finish(line: (UnsafeRawBufferPointer) -> Void) {
        guard !hasEnded else { return }
        hasEnded = true
        try? file?.finish(line: line)
    }
}
