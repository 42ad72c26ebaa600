package import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The process's own log: lines of ``StandardErrorLog`` on a ``LogSink``, so that no event loop waits for its reader.
///
/// A client can cause lines (it opens breakers), and standard error may be a pipe that is not read. Lines beyond the
/// bound are lost; a later line reports how many.
package final class ProcessLog: Sendable {
    package let logger: Logger
    private let sink: LogSink

    /// Starts the log's thread.
    ///
    /// - Parameters:
    ///   - level: The least level that is logged.
    ///   - descriptor: Where the lines go: by default standard error. It stays open.
    ///   - capacity: Bytes that wait at most, beside as many that are being written; 1 MiB is some ten thousand lines.
    package init(level: Logger.Level, to descriptor: Int32 = STDERR_FILENO, capacity: Int = 1 << 20) {
        let sink = LogSink(
            descriptor: descriptor, capacity: capacity,
            lossNotice: { StandardErrorLog.line(at: .now(), .warning, "log lines were lost", ["lines": "\($0)"]) })
        self.sink = sink
        logger = Logger(label: "weir") { _ in StandardErrorLog(level: level, write: sink.write) }
    }

    /// Lines that could not be written, since the start.
    package var lost: Int { sink.lost }

    /// Writes text that is no record, such as what a command says at its start.
    package func write(text: String) { sink.write(Array(text.utf8)) }

    /// Writes the lines that wait, and ends the log's thread.
    ///
    /// - Parameter deadline: How long this may take.
    /// - Returns: Whether all was written in time.
    @discardableResult
    package func close(within deadline: Duration) -> Bool { sink.close(within: deadline) }
}
