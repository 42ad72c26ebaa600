import Dispatch
import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Writes the lines of a log to a file or to an open descriptor, from a thread of its own.
///
///     event loops ── write(_:) ──▶ [pending, bounded] ── the sink's thread ──▶ write(2)
///
/// An event loop only appends to memory. Lines that a slow disk or reader does not take are buffered up to a bound, and
/// counted as lost above it: a log must not delay the streams that it reports. The thread takes all pending lines at
/// once, so that under load one system call writes many lines.
///
/// After lines were lost, the log itself can report their number: see `lossNotice` of the initialisers.
///
/// The thread keeps the sink alive until ``close(within:)``.
package final class LogSink: Sendable {
    package enum Target: Equatable, Sendable {
        /// Created if it does not exist, appended to, and opened again by ``LogSink/reopen()``.
        case file(path: String)
        /// Open already, and never closed; ``LogSink/reopen()`` has no effect on it.
        case descriptor(Int32)

        package static let standardOutput = Target.descriptor(STDOUT_FILENO)
    }

    private struct State {
        var pending: [UInt8] = []
        /// The length of `pending` before a call of `reopen`, which belongs to the old file.
        var reopenAt: Int?
        var lost = 0
        /// The number of lost lines that a notice has reported.
        var reported = 0
        var isClosed = false
        /// Whether the thread was woken and has not yet found that there is nothing to do.
        var isAwake = false
    }

    private let target: Target
    private let capacity: Int
    private let failed: @Sendable (LogSinkError) -> Void
    private let lossNotice: @Sendable (Int) -> [UInt8]?
    private let state = NIOLockedValueBox(State())
    private let work = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)

    /// Opens the log and starts its thread.
    ///
    /// - Parameters:
    ///   - target: Where the lines are written.
    ///   - capacity: Maximum of pending bytes, in addition to as many that are being written.
    ///   - failed: Called on the sink's thread for the first of a series of equal failures.
    ///   - lossNotice: As for ``init(descriptor:capacity:lossNotice:)``.
    /// - Throws: ``LogSinkError/cannotOpen(path:errno:)``.
    package convenience init(
        _ target: Target, capacity: Int = 4 << 20, failed: @escaping @Sendable (LogSinkError) -> Void = { _ in },
        lossNotice: @escaping @Sendable (Int) -> [UInt8]? = { _ in nil }
    ) throws(LogSinkError) {
        let descriptor =
            switch target {
            case .file(let path): try FileDescriptor(appendingTo: path)
            case .descriptor(let number): FileDescriptor(number: number)
            }
        self.init(target, descriptor, capacity: capacity, failed: failed, lossNotice: lossNotice)
    }

    /// Starts the thread for a descriptor that is open already.
    ///
    /// - Parameters:
    ///   - descriptor: Stays open.
    ///   - capacity: As for ``init(_:capacity:failed:lossNotice:)``.
    ///   - lossNotice: Called on the sink's thread after lines were lost and others were written again, with the number
    ///     of lost lines. Returns a line without its newline that is written in place of the lost ones; `nil` to write
    ///     no line.
    package convenience init(
        descriptor: Int32, capacity: Int, lossNotice: @escaping @Sendable (Int) -> [UInt8]?
    ) {
        self.init(
            .descriptor(descriptor), FileDescriptor(number: descriptor), capacity: capacity, failed: { _ in },
            lossNotice: lossNotice)
    }

    private init(
        _ target: Target, _ descriptor: FileDescriptor, capacity: Int,
        failed: @escaping @Sendable (LogSinkError) -> Void, lossNotice: @escaping @Sendable (Int) -> [UInt8]?
    ) {
        self.target = target
        self.capacity = capacity
        self.failed = failed
        self.lossNotice = lossNotice
        startThread { [self] in
            writeUntilClosed(to: descriptor)
            stopped.signal()
        }
    }

    /// Lines that were lost: the buffer was full, the file could not be written, or the sink was closed.
    package var lost: Int { state.withLockedValue { $0.lost } }

    /// Appends one line, without its newline; never waits for the file.
    package func write(_ line: [UInt8]) {
        change { state in
            guard !state.isClosed, state.pending.count + line.count < capacity else {
                state.lost += 1
                return
            }
            state.pending.append(contentsOf: line)
            state.pending.append(UInt8(ascii: "\n"))
        }
    }

    /// Opens the path again, after a log rotation: earlier lines go to the old file, later ones to the new one.
    ///
    /// If it cannot be opened, the old file is kept and `failed` is called.
    package func reopen() {
        guard case .file = target else { return }
        change { $0.reopenAt = $0.pending.count }
    }

    /// Rejects further lines, writes the pending ones, and ends the thread.
    ///
    /// - Parameter deadline: The maximum time; the file may be on a disk that hangs.
    /// - Returns: Whether all was written in time; otherwise the thread still tries.
    package func close(within deadline: Duration) -> Bool {
        change { $0.isClosed = true }
        guard stopped.wait(timeout: deadline.fromNow) == .success else { return false }
        // For a further call.
        stopped.signal()
        return true
    }

    /// Changes the state and wakes the thread, once for all changes until it has checked for work.
    private func change(_ body: (inout State) -> Void) {
        let wasAwake = state.withLockedValue { state in
            body(&state)
            defer { state.isAwake = true }
            return state.isAwake
        }
        if !wasAwake { work.signal() }
    }
}

extension Duration {
    /// That long from now, on the monotonic clock.
    fileprivate var fromNow: DispatchTime {
        let (seconds, attoseconds) = max(self, .zero).components
        return .now() + .seconds(Int(seconds)) + .nanoseconds(Int(attoseconds / 1_000_000_000))
    }
}

// The sink's thread.
extension LogSink {
    private enum Order {
        /// The batch is full; its part before `reopenAt`, if that is set, belongs to the old file.
        ///
        /// `lost` is the number of lines lost before the next batch begins.
        case write(reopenAt: Int?, lost: Int)
        case wait
        case stop
    }

    private func writeUntilClosed(to descriptor: FileDescriptor) {
        var output = Output(descriptor)
        var batch: [UInt8] = []
        while true {
            switch nextOrder(&batch) {
            case .write(let reopenAt, let lost):
                let border = reopenAt ?? 0
                write(batch[..<border], to: &output)
                if reopenAt != nil { reopen(&output) }
                write(batch[border...], to: &output)
                if output.lastError == nil { reportLoss(lost, to: &output) }
            case .wait:
                work.wait()
            case .stop:
                if case .file = target { output.descriptor.closeFile() }
                return
            }
        }
    }

    private func nextOrder(_ batch: inout [UInt8]) -> Order {
        // Frees the memory after a burst.
        batch.removeAll(keepingCapacity: batch.capacity <= 256 << 10)
        return state.withLockedValue { state in
            if !state.pending.isEmpty || state.reopenAt != nil {
                swap(&batch, &state.pending)
                defer { state.reopenAt = nil }
                return .write(reopenAt: state.reopenAt, lost: state.lost)
            }
            if state.isClosed { return .stop }
            state.isAwake = false
            return .wait
        }
    }

    private func write(_ lines: ArraySlice<UInt8>, to output: inout Output) {
        guard !lines.isEmpty, let (lost, error) = output.write(lines) else { return }
        state.withLockedValue { $0.lost += lost }
        report(error, &output)
    }

    /// Reports the lines that were lost since the last notice; a notice that cannot be written is repeated later.
    private func reportLoss(_ lost: Int, to output: inout Output) {
        let unreported = state.withLockedValue { lost - $0.reported }
        guard unreported > 0 else { return }
        if let notice = lossNotice(unreported) {
            guard output.write((notice + [UInt8(ascii: "\n")])[...]) == nil else { return }
        }
        state.withLockedValue { $0.reported = lost }
    }

    private func reopen(_ output: inout Output) {
        guard case .file(let path) = target else { return }
        do throws(LogSinkError) {
            let reopened = try FileDescriptor(appendingTo: path)
            output.descriptor.closeFile()
            output = Output(reopened)
        } catch {
            report(error, &output)
        }
    }

    private func report(_ error: LogSinkError, _ output: inout Output) {
        if output.lastError != error { failed(error) }
        output.lastError = error
    }
}

/// The open file, and the result of its last write.
private struct Output {
    let descriptor: FileDescriptor
    var lastError: LogSinkError?
    /// The last write ended within a line: the next one begins with a newline, so that only one line is broken.
    private var isInLine = false

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Writes whole lines.
    ///
    /// - Returns: `nil`, or the error and the number of lines that were not written completely.
    mutating func write(_ lines: ArraySlice<UInt8>) -> (lost: Int, LogSinkError)? {
        let newline = UInt8(ascii: "\n")
        if isInLine, descriptor.writeAll([newline]).error == nil { isInLine = false }
        let (written, error) = descriptor.writeAll(lines)
        guard let error else {
            lastError = nil
            return nil
        }
        let rest = lines.dropFirst(written)
        if written > 0 { isInLine = lines[rest.startIndex - 1] != newline }
        return (rest.count { $0 == newline }, .cannotWrite(errno: error))
    }
}

/// Runs `body` on a detached thread that blocks all signals, so that they are delivered to the threads that expect
/// them.
///
/// A write to a pipe without a reader is then an error instead of the end of the process: SIGPIPE is delivered to the
/// writing thread.
private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var everySignal = sigset_t(), before = sigset_t()
    sigfillset(&everySignal)
    // A thread inherits the signal mask of its creator.
    pthread_sigmask(SIG_SETMASK, &everySignal, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }, Unmanaged.passRetained(Body(body)).toOpaque())
    precondition(result == 0, "the process may not create a thread for its log")
    pthread_detach(thread)
}
