#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The error of a log's file.
package enum LogSinkError: Error, Equatable, Sendable {
    case cannotOpen(path: String, errno: Int32)
    /// The lines that were to be written are counted as lost.
    case cannotWrite(errno: Int32)
}

extension LogSinkError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotOpen(let path, let errno): "\(path) cannot be opened: \(Self.reason(errno))"
        case .cannotWrite(let errno): "lines cannot be written: \(Self.reason(errno))"
        }
    }

    private static func reason(_ errno: Int32) -> String {
        // open(2): the error for a named pipe without a reader.
        errno == ENXIO ? "no process reads this pipe" : String(cString: strerror(errno))
    }
}
