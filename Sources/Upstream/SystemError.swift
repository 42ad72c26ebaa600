import Glibc

/// A system call that failed, with its errno.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let code: CInt

    /// The event loop has been stopped.
    static let stopped = SystemError(call: "the event loop", code: ECANCELED)

    init(call: String, code: CInt = errno) {
        self.call = call
        self.code = code
    }

    var description: String { "\(call): \(String(cString: strerror(code)))" }
}
