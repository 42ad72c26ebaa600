#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Draws on the whole terminal, and restores it afterwards.
///
/// Uses the alternate screen (xterm, DECSET 1049) and reads keys unbuffered, without echo.
final class FullScreen {
    private var before: termios?

    /// Keys are read from standard input if it is a terminal.
    func enter() {
        var mode = termios()
        if tcgetattr(STDIN_FILENO, &mode) == 0 {
            if before == nil { before = mode }
            // Ctrl-C still sends a signal; Ctrl-Z is read as a key, because the screen must be restored first.
            mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
            withUnsafeMutableBytes(of: &mode.c_cc) { characters in
                characters[Int(VSUSP)] = 0
                characters[Int(VMIN)] = 1
                characters[Int(VTIME)] = 0
            }
            tcsetattr(STDIN_FILENO, TCSANOW, &mode)
        }
        StandardOutput.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
    }

    func leave() {
        StandardOutput.write("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
        if var before { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
    }

    /// Draws over the old lines, which does not flicker as clearing the screen does.
    func draw(_ lines: [String]) {
        var text = "\u{1b}[H"
        for (number, line) in lines.enumerated() {
            // The last line has no newline: the screen would scroll.
            text += (number == 0 ? "" : "\r\n") + line + "\u{1b}[K"
        }
        StandardOutput.write(text + "\u{1b}[J")
    }
}
