import PlainText

/// How far reading is, on standard error where that is a terminal, a few times a second.
struct ReadingProgress {
    private let isShown: Bool
    /// Of all files; `nil` where one of them does not say.
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

    /// So many bytes of the present file have been read.
    mutating func show(beside offset: Int) {
        guard isShown, ContinuousClock.now - shown >= Self.pause else { return }
        shown = .now
        hasShown = true
        let read = before + offset
        var text = "\(Terminal.emptyLine)\(Printable.bytes(read)) read"
        if let total, total > 0 { text += " of \(Printable.bytes(total)), \(min(100, read * 100 / total)) %" }
        StandardError.write(text)
    }

    /// The present file is done; it had so many bytes.
    mutating func passed(_ bytes: Int) { before += bytes }

    /// Takes the line away, before anything else is written.
    mutating func clear() {
        if hasShown { StandardError.write(Terminal.emptyLine) }
        hasShown = false
    }
}
