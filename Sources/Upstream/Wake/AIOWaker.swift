import CCurl
import Glibc

/// Rings the bell by one AIO poll on the epoll descriptor.
///
/// The poll is one-shot and looks at readiness when it is submitted: whoever drains first and arms last loses nothing in
/// between. A pending poll pins the file it watches, so it stands on the epoll descriptor only, never on a socket.
/// io_submit(2), IOCB_FLAG_RESFD.
final class AIOWaker: LoopWaker {
    private let aio: OpaquePointer
    private let watched: CInt
    private let bell: LoopWakeup
    private var isArmed = false

    /// Whether this system permits AIO: some container sandboxes do not.
    static func isPermitted() -> Bool {
        guard let probe = weir_aio_create() else { return false }
        defer { weir_aio_destroy(probe) }
        let set = epoll_create1(CInt(EPOLL_CLOEXEC))
        let bell = eventfd(0, CInt(EFD_CLOEXEC))
        defer {
            close(set)
            close(bell)
        }
        return set >= 0 && bell >= 0 && weir_aio_poll(probe, set, bell) == 0
    }

    /// - Parameters:
    ///   - watched: The epoll descriptor.
    ///   - bell: The bell of its loop.
    /// - Throws: Where the system forbids AIO or has no context left (`fs.aio-max-nr`).
    init(watching watched: CInt, bell: LoopWakeup) throws {
        guard let aio = weir_aio_create() else { throw SystemError(call: "io_setup") }
        self.aio = aio
        self.watched = watched
        self.bell = bell
    }

    deinit { weir_aio_destroy(aio) }

    func arm() {
        // The bell may have been rung by somebody else: then the poll still stands.
        if isArmed, weir_aio_reap(aio) > 0 { isArmed = false }
        guard !isArmed else { return }
        if weir_aio_poll(aio, watched, bell.descriptor) == 0 {
            isArmed = true
        } else {
            bell.ring()  // no memory for the poll: try again next turn rather than never
        }
    }

    func stop() {}
}
