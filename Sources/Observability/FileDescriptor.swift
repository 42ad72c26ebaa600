#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A number that the kernel knows a file by; whoever opened it closes it.
struct FileDescriptor: Equatable, Sendable {
    let number: Int32

    init(number: Int32) { self.number = number }

    /// Opens a log for appending, and makes it if it is not there, readable for its group.
    ///
    /// A named pipe that nobody reads is an error (ENXIO) rather than a wait: O_NONBLOCK says so, and means nothing to
    /// a file.
    ///
    /// - Throws: ``LogSinkError/cannotOpen(path:errno:)``.
    init(appendingTo path: String) throws(LogSinkError) {
        number = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
        guard number >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    }

    /// Writes all the bytes, however many calls it takes, and waits where the descriptor does not.
    ///
    /// - Returns: How many bytes were written before an error, and its `errno`; all of them, and `nil`, without one.
    func writeAll(_ bytes: ArraySlice<UInt8>) -> (written: Int, error: Int32?) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(number, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    // Standard output may share its non-blocking state with another process.
                    waitUntilWritable()
                } else if errno != EINTR {
                    return (bytes.count - rest.count, errno)
                }
            }
            return (bytes.count, nil)
        }
    }

    func closeFile() { _ = close(number) }

    private func waitUntilWritable() {
        var descriptor = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        _ = poll(&descriptor, 1, -1)
    }
}
