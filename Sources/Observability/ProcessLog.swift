package import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The process's own log: lines of ``StandardErrorLog`` on a ``LogSink``, so that no event loop waits for its reader.
///
/// A client can cause lines (by opening breakers), and standard error may be a pipe that is not read. Lines above the
/// bound are lost; a later line reports their number.
package final class ProcessLog: Sendable {
    package let logger: Logger
    private let sink: LogSink

    /// Starts the log's thread.
    ///
    /// - Parameters:
    ///   - level: The lowest level that is logged.
    ///   - descriptor: The target, by default standard error. It stays open.
    ///   - capacity: Maximum of pending bytes, in addition to as many that are being written; 1 MiB is some ten
    ///     thousand lines.
    package init(level: Logger.Level, to descriptor: Int32 = STDERR_FILENO, capacity: Int = 1 << 20) {
        let sink = LogSink(
            descriptor: descriptor, capacity: capacity,
            lossNotice: { StandardErrorLog.line(at: .now(), .warning, "log lines were lost", ["lines": "\($0)"]) })
        self.sink = sink
        logger = Logger(label: "weir") { _ in StandardErrorLog(level: level, write: sink.write) }
    }

    /// Lines that could not be written, since the start.
    package var lost: Int { sink.lost }

    /// Writes text that is not a log line, such as the greeting of a command.
    package func write(text: String) { sink.write(Array(text.utf8)) }

    /// Writes the pending lines, and ends the log's thread.
    ///
    /// - Parameter deadline: The maximum time.
    /// - Returns: Whether all was written in time.
    @discardableResult
    package func close(within deadline: Duration) -> Bool { sink.close(within: deadline) }
}
