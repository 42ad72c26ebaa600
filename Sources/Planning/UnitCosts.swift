/// What a piece of work costs, for plans.
///
/// The times are those of the machine on which they were measured; the memory hardly depends on it. `docs/PLANNING.md` has
/// the accuracy.
package struct UnitCosts: Equatable, Sendable {
    /// CPU time in microseconds, of a stream's begin and of a rejection, each with its connection.
    package var start, rejection: Double
    /// One read of an upstream's socket, one write to a client's, and one timer of the pace, each with its part of the
    /// loop's wake-up.
    package var read, write, timer: Double
    package var record, kibibyte: Double
    /// Memory in bytes: of the process, of an open stream, and in addition of one whose upstream is paused; the memory of
    /// buffered records is that of the queues themselves.
    package var process, stream, pausedStream: Double

    /// By `Benchmarks/plan --calibrate`, the mean of two runs on an otherwise idle virtual machine with two cores
    /// (Linux 6.18, release build, libcurl 8.14).
    ///
    /// `record` is that of the table of framing in `docs/BENCHMARKS.md`, with the queue and the pace.
    package static let measured = UnitCosts(
        start: 260, rejection: 175, read: 22.6, write: 4.7, timer: 12.2, record: 0.02, kibibyte: 0.96,
        process: 32.7 * 1_048_576, stream: 20_000, pausedStream: 12_500)
}
