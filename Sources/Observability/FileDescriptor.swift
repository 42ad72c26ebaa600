#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A file descriptor; the code that opened it closes it.
struct FileDescriptor: Equatable, Sendable {
    let number: Int32

    init(number: Int32) { self.number = number }

    /// Opens a log for appending, and creates it if it does not exist, readable for its group.
    ///
    /// A named pipe without a reader is an error (ENXIO) instead of a wait, because of O_NONBLOCK, which has no effect
    /// on a file.
    ///
    /// - Throws: ``LogSinkError/cannotOpen(path:errno:)``.
    init(appendingTo path: String) throws(LogSinkError) {
        number = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
        guard number >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    }

    /// Writes all the bytes, with several calls if necessary, and waits if the descriptor is non-blocking.
    ///
    /// - Returns: The number of bytes written before an error, and its `errno`; all of them, and `nil`, without one.
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
