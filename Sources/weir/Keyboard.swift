import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Standard input as a keyboard: keys arrive at once and without echo, between ``open(handsOverCtrlZ:)`` and ``close()``.
struct Keyboard: Sendable {
    private let before: termios

    /// `nil` if standard input is no terminal, or the process is in the background: it would be stopped if it changed the terminal
    /// (tcsetattr(3), SIGTTOU).
    init?() {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0, tcgetpgrp(STDIN_FILENO) == getpgrp() else { return nil }
        before = mode
    }

    /// - Parameter handsOverCtrlZ: Whether Ctrl-Z is a key, because the screen must be restored before the process stops. Ctrl-C
    ///   always sends its signal.
    func open(handsOverCtrlZ: Bool) {
        var mode = before
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        withUnsafeMutableBytes(of: &mode.c_cc) { characters in
            if handsOverCtrlZ { characters[Int(VSUSP)] = 0 }
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        tcsetattr(STDIN_FILENO, TCSANOW, &mode)
    }

    /// Restores the terminal.
    func close() {
        var before = before
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    /// Passes on what is typed, from a thread that ends with the process: read(2) blocks.
    ///
    /// - Parameter take: Gets the bytes of one read, which has the whole sequence of a key.
    static func startReading(_ take: @escaping @Sendable ([UInt8]) -> Void) {
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 64)
            while case let count = read(STDIN_FILENO, &bytes, bytes.count), count > 0 { take(Array(bytes[..<count])) }
        }
    }
}
