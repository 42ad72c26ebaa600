package import Flow
import Glibc
package import Logging

/// Reports the state of the process to the service manager that started it (sd_notify(3)).
///
/// systemd passes the address of a datagram socket in `NOTIFY_SOCKET` to a unit of `Type=notify`. Without that variable
/// nothing is sent.
package struct ServiceNotifier: Sendable {
    /// A state of the process, by the well-known assignments of sd_notify(3).
    package enum State: Equatable, Sendable {
        /// The listeners are open, or a reload has ended.
        case ready
        /// A reload has begun at this instant of the monotonic clock; ``ready`` follows.
        case reloading(Instant)
        /// A drain has begun and ends within this time: the manager waits at least that long before it kills the process.
        case stopping(within: Duration)

        var message: String {
            switch self {
            case .ready: "READY=1"
            case .reloading(let now): "RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1000)"
            case .stopping(let time): "STOPPING=1\nEXTEND_TIMEOUT_USEC=\(time.nanoseconds / 1000)"
            }
        }
    }

    /// The maximum time for a message, if the manager does not read its socket.
    private static let timeout = timeval(tv_sec: 2, tv_usec: 0)

    /// As in the environment; `nil` if no service manager waits for messages.
    private let address: String?
    private let log: Logger

    /// - Parameters:
    ///   - environment: The environment of the process.
    ///   - log: Reports a message that could not be sent.
    package init(environment: [String: String], log: Logger) {
        address = environment["NOTIFY_SOCKET"]
        self.log = log
    }

    /// Sends the state.
    ///
    /// A failure is logged: the manager of a `Type=notify` unit waits until its timeout and then ends the process.
    package func send(_ state: State) {
        guard let address else { return }
        do throws(Failure) {
            try Self.send(state.message, to: address)
        } catch {
            log.warning("the service manager was not notified", metadata: ["error": "\(error.reason)"])
        }
    }

    private struct Failure: Error {
        let reason: String
    }

    private static func send(_ message: String, to address: String) throws(Failure) {
        guard let name = Self.name(address) else {
            throw Failure(reason: "NOTIFY_SOCKET is neither an absolute path nor an abstract name")
        }
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
        defer { _ = close(descriptor) }
        var timeout = timeout
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        let sent = name.connect(descriptor) && Glibc.send(descriptor, message, message.utf8.count, 0) >= 0
        guard sent else { throw Failure(reason: String(cString: strerror(errno))) }
    }

    /// `@` at the start is the NUL of an abstract name; other addresses, such as `vsock:`, are not supported.
    private static func name(_ address: String) -> UnixSocketName? {
        switch address.first {
        case "/": UnixSocketName(address.utf8)
        case "@": UnixSocketName([0] + address.utf8.dropFirst())
        default: nil
        }
    }
}
