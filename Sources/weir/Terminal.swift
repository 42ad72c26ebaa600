#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A descriptor that may be a terminal.
struct Terminal {
    let descriptor: Int32

    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let errors = Terminal(descriptor: STDERR_FILENO)

    /// Begins the line anew and empties it.
    static let emptyLine = "\r\u{1b}[K"
    /// Empties the screen and goes to its first place.
    static let emptyScreen = "\u{1b}[H\u{1b}[2J"

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// In characters; `nil` where it is no terminal, or one that does not know.
    var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
