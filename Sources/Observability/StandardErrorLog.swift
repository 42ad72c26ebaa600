package import Logging

/// Writes the process's own log: one line a record, `time level message key=value …`, keys in their order.
///
/// A logged value cannot forge a line or control a terminal: control and format characters are escaped (`\u{1b}`), and
/// values that are not plain words are quoted.
package struct StandardErrorLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let now: @Sendable () -> Timestamp
    private let write: @Sendable ([UInt8]) -> Void

    /// Makes a handler for `LoggingSystem.bootstrap` or a `Logger`.
    ///
    /// - Parameters:
    ///   - level: The lowest level that is logged.
    ///   - metadataProvider: Adds metadata of the task that logs.
    ///   - now: Returns the time of a record.
    ///   - write: Takes one line, without its newline; must not wait, because event loops log.
    package init(
        level: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now,
        write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        logLevel = level
        self.metadataProvider = metadataProvider
        self.now = now
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let metadataProvider { all.merge(metadataProvider.get()) { $1 } }
        if let explicit = event.metadata { all.merge(explicit) { $1 } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        write(Self.line(at: now(), event.level, event.message.description, all))
    }

    /// One line, without its newline.
    static func line(
        at time: Timestamp, _ level: Logger.Level, _ message: String, _ all: Logger.Metadata
    ) -> [UInt8] {
        var line = "\(time.rfc3339) \(level.rawValue) "
        line.appendEscaped(message)
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " "
            line.appendWord(key)
            line += "="
            line.appendWord(value.description)
        }
        return Array(line.utf8)
    }
}

extension String {
    /// Appends a plain word unchanged, and any other text in quotes.
    fileprivate mutating func appendWord(_ text: String) {
        let isWord = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && !Self.needingQuotes.contains($0) }
        guard !isWord else { return appendEscaped(text) }
        self += "\""
        appendEscaped(text, escapingQuotes: true)
        self += "\""
    }

    private static let needingQuotes = Array("\"=\\".utf8)

    /// Appends text with an escape for each character that breaks a line, controls a terminal or changes the text
    /// direction.
    fileprivate mutating func appendEscaped(_ text: String, escapingQuotes: Bool = false) {
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                self += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                if scalar == "\\" || (escapingQuotes && scalar == "\"") { self += "\\" }
                unicodeScalars.append(scalar)
            }
        }
    }
}
