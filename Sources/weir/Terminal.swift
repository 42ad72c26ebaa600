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

    /// Moves to the beginning of the line and clears it.
    static let emptyLine = "\r\u{1b}[K"
    /// Clears the screen and moves to its first position.
    static let emptyScreen = "\u{1b}[H\u{1b}[2J"

    /// Moves to the beginning of a row, counted from 1.
    static func position(row: Int) -> String { "\u{1b}[\(row);1H" }

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// In characters; `nil` if it is not a terminal, or does not report a size.
    var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
