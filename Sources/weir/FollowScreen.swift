import LogReport

/// The terminal on which `weir logs --follow` shows its tables in place, as many as fit.
struct FollowScreen: Sendable {
    private let top: Int
    /// `nil` if standard input is no keyboard, or one of the files.
    private let keyboard: Keyboard?
    private var drawnSize: (columns: Int, rows: Int)?

    /// Of each table on a small screen.
    private static let fewestNames = 3
    private static let keys = "\u{1b}[7m q quit \u{1b}[0m"

    /// - Parameters:
    ///   - top: The number of names in a table, if there is room for them.
    ///   - readsKeys: Whether standard input is used for keys.
    init(top: Int, readsKeys: Bool) {
        self.top = top
        keyboard = readsKeys ? Keyboard() : nil
    }

    /// The keys; `nil` if there are none.
    func openKeyboard() -> AsyncStream<UInt8>? {
        guard let keyboard else { return nil }
        keyboard.open(handsOverCtrlZ: false)
        let (keys, post) = AsyncStream.makeStream(of: UInt8.self, bufferingPolicy: .bufferingNewest(64))
        Keyboard.startReading { bytes in for byte in bytes { post.yield(byte) } }
        return keys
    }

    /// Opens the keyboard again after the process was stopped: the shell has restored the terminal.
    func resume() { keyboard?.open(handsOverCtrlZ: false) }

    func closeKeyboard() { keyboard?.close() }

    /// Whether the terminal has another size than at the last drawing.
    var isOutdated: Bool {
        guard let size = Terminal.output.size else { return false }
        return drawnSize.map { $0 != size } ?? true
    }

    /// Draws the report; the last one remains on the terminal, without the line of keys.
    mutating func draw(_ tally: LogTally, on size: (columns: Int, rows: Int), isLast: Bool) {
        let hasKeys = keyboard != nil && !isLast, rows = hasKeys ? size.rows - 1 : size.rows
        // As many names as the screen has room for, but a few in any case, and then as many tables.
        var top = top, report = tally.report(top: top)
        while top > Self.fewestNames, Self.count(report.text(width: size.columns)) >= rows {
            top = max(Self.fewestNames, min(top * 3 / 4, rows))
            report = tally.report(top: top)
        }
        let text = report.text(width: size.columns, rows: rows - 1)
        StandardOutput.write(
            Terminal.emptyScreen + text + (hasKeys ? Terminal.position(row: size.rows) + Self.keys : ""))
        drawnSize = size
    }

    private static func count(_ text: String) -> Int { text.utf8.count { $0 == UInt8(ascii: "\n") } }
}
