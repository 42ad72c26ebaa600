#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A terminal that is drawn on as a whole, and handed back as it was.
///
/// Uses the alternate screen (xterm, DECSET 1049) and reads keys as they are pressed, unseen.
final class FullScreen {
    private var before: termios?

    /// The keys come from standard input, where that is a terminal.
    func enter() {
        var mode = termios()
        if tcgetattr(STDIN_FILENO, &mode) == 0 {
            if before == nil { before = mode }
            // Signals for Ctrl-C stay; Ctrl-Z comes as a key, since the screen has to be handed back first.
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

    /// Draws over what stands there, which does not flicker as an emptied screen does.
    func draw(_ lines: [String]) {
        var text = "\u{1b}[H"
        for (number, line) in lines.enumerated() {
            // The last line has no newline: the screen would scroll.
            text += (number == 0 ? "" : "\r\n") + line + "\u{1b}[K"
        }
        StandardOutput.write(text + "\u{1b}[J")
    }
}
