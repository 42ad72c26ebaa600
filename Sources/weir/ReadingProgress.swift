import PlainText

/// Shows the progress of reading on standard error, if that is a terminal, a few times a second.
struct ReadingProgress {
    private let isShown: Bool
    /// Of all files; `nil` if the size of one of them is not known.
    private let total: Int?
    private var before = 0
    private var shown: ContinuousClock.Instant
    private var hasShown = false

    private static let pause = Duration.milliseconds(250)

    init(_ paths: [String]) {
        isShown = Terminal.errors.isTerminal
        let sizes = paths.map { $0 == "-" ? nil : LogFile.state(of: $0)?.size }
        total = sizes.contains(nil) ? nil : sizes.compactMap(\.self).reduce(0, +)
        shown = .now
    }

    /// Shows that this many bytes of the current file were read.
    mutating func show(beside offset: Int) {
        guard isShown, ContinuousClock.now - shown >= Self.pause else { return }
        shown = .now
        hasShown = true
        let read = before + offset
        var text = "\(Terminal.emptyLine)\(Printable.bytes(read)) read"
        if let total, total > 0 { text += " of \(Printable.bytes(total)), \(min(100, read * 100 / total)) %" }
        StandardError.write(text)
    }

    /// The current file was read; it had this many bytes.
    mutating func passed(_ bytes: Int) { before += bytes }

    /// Clears the line, before anything else is written.
    mutating func clear() {
        if hasShown { StandardError.write(Terminal.emptyLine) }
        hasShown = false
    }
}
