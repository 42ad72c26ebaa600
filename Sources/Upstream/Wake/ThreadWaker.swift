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
        try thread.add(watched, event: wakeup.descriptor)
    }

    func arm() {
        // Fails only for a descriptor that was not added.
        try? thread.arm(watched, event: wakeup.descriptor)
    }

    func stop() { thread.remove(watched, event: wakeup.descriptor) }
}

/// One thread for the process; it sleeps in epoll_wait for as long as nothing is ready.
private final class WatcherThread: Sendable {
    static let shared = Result { try WatcherThread() }

    private let set: CInt
    /// The eventfds that may be signalled.
    ///
    /// The thread may have read an event when its loop stops: the number of the eventfd may then be another file's.
    private let signalled = Mutex<Set<CInt>>([])

    private init() throws {
        set = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard set >= 0 else { throw SystemError(call: "epoll_create1") }
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        pool.submit { [self] _ in run() }
    }

    /// Watches a descriptor, once it is armed.
    ///
    /// - Parameters:
    ///   - descriptor: What to watch.
    ///   - event: The eventfd to signal when it is ready.
    /// - Throws: The errno of epoll_ctl(2).
    func add(_ descriptor: CInt, event: CInt) throws {
        try change(EPOLL_CTL_ADD, descriptor, event: event, events: EPOLLONESHOT.rawValue)
        signalled.withLock { _ = $0.insert(event) }
    }

    /// Signals once, as soon as the descriptor is readable.
    func arm(_ descriptor: CInt, event: CInt) throws {
        try change(EPOLL_CTL_MOD, descriptor, event: event, events: EPOLLIN.rawValue | EPOLLONESHOT.rawValue)
    }

    /// The eventfd is not signalled after this.
    func remove(_ descriptor: CInt, event: CInt) {
        try? change(EPOLL_CTL_DEL, descriptor, event: event, events: 0)
        signalled.withLock { _ = $0.remove(event) }
    }

    private func change(_ operation: CInt, _ descriptor: CInt, event: CInt, events: UInt32) throws {
        var interest = epoll_event(events: events, data: epoll_data(fd: event))
        guard epoll_ctl(set, operation, descriptor, &interest) == 0 else { throw SystemError(call: "epoll_ctl") }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = Int(epoll_wait(set, &events, CInt(events.count), -1))
            signalled.withLock { signalled in
                for index in 0..<max(0, count) where signalled.contains(events[index].data.fd) {
                    eventfd_write(events[index].data.fd, 1)
                }
            }
        }
    }
}
