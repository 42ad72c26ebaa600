/// Draws on the whole terminal, and restores it afterwards.
///
/// Uses the alternate screen (xterm, DECSET 1049).
final class FullScreen {
    private let keyboard = Keyboard()

    func enter() {
        keyboard?.open(handsOverCtrlZ: true)
        StandardOutput.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
    }

    func leave() {
        StandardOutput.write("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
        keyboard?.close()
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
