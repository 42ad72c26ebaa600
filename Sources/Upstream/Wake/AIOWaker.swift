import CCurl
import Glibc

/// Signals a ``LoopWakeup`` by one AIO poll on the epoll descriptor.
///
/// The poll is one-shot and looks at readiness when it is submitted: code that drains the set first and arms last loses
/// nothing in between. A pending poll pins the file it watches, so it is on the epoll descriptor only, never on a socket.
/// io_submit(2), IOCB_FLAG_RESFD.
final class AIOWaker: LoopWaker {
    private let aio: OpaquePointer
    private let watched: CInt
    private let wakeup: LoopWakeup
    private var isArmed = false

    /// Whether this system permits AIO: some container sandboxes do not.
    static func isPermitted() -> Bool {
        guard let probe = weir_aio_create() else { return false }
        defer { weir_aio_destroy(probe) }
        let set = epoll_create1(CInt(EPOLL_CLOEXEC))
        let event = eventfd(0, CInt(EFD_CLOEXEC))
        defer {
            close(set)
            close(event)
        }
        return set >= 0 && event >= 0 && weir_aio_poll(probe, set, event) == 0
    }

    /// - Parameters:
    ///   - watched: The epoll descriptor.
    ///   - wakeup: That of its loop.
    /// - Throws: If the system forbids AIO or has no context left (`fs.aio-max-nr`).
    init(watching watched: CInt, wakeup: LoopWakeup) throws {
        guard let aio = weir_aio_create() else { throw SystemError(call: "io_setup") }
        self.aio = aio
        self.watched = watched
        self.wakeup = wakeup
    }

    deinit { weir_aio_destroy(aio) }

    func arm() {
        // The wakeup may have been signalled by another caller: then the poll is still pending.
        if isArmed, weir_aio_reap(aio) > 0 { isArmed = false }
        guard !isArmed else { return }
        if weir_aio_poll(aio, watched, wakeup.descriptor) == 0 {
            isArmed = true
        } else {
            wakeup.signal()  // no memory for the poll: try again next turn rather than never
        }
    }

    func stop() {}
}
