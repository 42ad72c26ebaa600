import CCurl
import Glibc
import NIOPosix
import Synchronization

/// Signals a ``LoopWakeup`` from a helper thread that watches the epoll descriptors of all loops and nothing else.
final class ThreadWaker: LoopWaker {
    private let thread: WatcherThread
    private let watched: CInt
    private let wakeup: LoopWakeup

    /// - Parameters:
    ///   - watched: The epoll descriptor.
    ///   - wakeup: That of its loop.
    /// - Throws: If the system has no descriptor left for the thread's epoll set, or no memory for one more watch.
    init(watching watched: CInt, wakeup: LoopWakeup) throws {
        self.watched = watched
        self.wakeup = wakeup
        thread = try WatcherThread.shared.get()
        try thread.watch(EPOLL_CTL_ADD, watched, event: wakeup.descriptor, events: EPOLLONESHOT.rawValue)
    }

    func arm() {
        let events = EPOLLIN.rawValue | EPOLLONESHOT.rawValue
        // Fails only for a descriptor that was not added.
        try? thread.watch(EPOLL_CTL_MOD, watched, event: wakeup.descriptor, events: events)
    }

    func stop() { try? thread.watch(EPOLL_CTL_DEL, watched, event: wakeup.descriptor, events: 0) }
}

/// One thread for the process; it sleeps in epoll_wait for as long as nothing is ready.
private final class WatcherThread: Sendable {
    static let shared = Result { try WatcherThread() }

    private let set: CInt

    private init() throws {
        set = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard set >= 0 else { throw SystemError(call: "epoll_create1") }
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        pool.submit { [set] _ in Self.run(set) }
    }

    /// - Parameters:
    ///   - operation: `EPOLL_CTL_…`
    ///   - descriptor: What to watch.
    ///   - event: The eventfd to signal when it is ready.
    ///   - events: For what.
    /// - Throws: The errno of epoll_ctl(2).
    func watch(_ operation: CInt, _ descriptor: CInt, event: CInt, events: UInt32) throws {
        var interest = epoll_event(events: events, data: epoll_data(fd: event))
        guard epoll_ctl(set, operation, descriptor, &interest) == 0 else { throw SystemError(call: "epoll_ctl") }
    }

    private static func run(_ set: CInt) {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = Int(epoll_wait(set, &events, CInt(events.count), -1))
            for index in 0..<max(0, count) { eventfd_write(events[index].data.fd, 1) }
        }
    }
}
