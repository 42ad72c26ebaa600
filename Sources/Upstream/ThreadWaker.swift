import CCurl
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Wakes the loop by a helper thread that watches the epoll descriptors of all loops and nothing else.
final class ThreadWaker: LoopWaker {
    private let watcher: WatcherThread
    private let watched: CInt
    private let key: UInt64
    private let loop: any EventLoop

    /// - Parameters:
    ///   - watched: The epoll descriptor.
    ///   - loop: The loop to wake.
    ///   - ready: Is called on the loop, once for each `arm()`.
    init(watching watched: CInt, on loop: any EventLoop, ready: @escaping () -> Void) throws {
        self.watched = watched
        self.loop = loop
        watcher = try WatcherThread.shared.get()
        let bound = NIOLoopBound(ready, eventLoop: loop)
        key = try watcher.add(watched) { loop.execute { bound.value() } }
    }

    func start() -> EventLoopFuture<Void> { loop.makeSucceededVoidFuture() }

    func arm() { watcher.arm(watched, key: key) }

    func stop() { watcher.remove(watched, key: key) }
}

/// One thread for the process; it sleeps in epoll_wait for as long as nothing is ready.
private final class WatcherThread: Sendable {
    static let shared = Result { try WatcherThread() }

    private let set: CInt
    private let wakeUps = Mutex<(next: UInt64, byKey: [UInt64: @Sendable () -> Void])>((0, [:]))

    private init() throws {
        set = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard set >= 0 else { throw SystemError(call: "epoll_create1") }
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.submit { [self] _ in run() }
    }

    func add(_ descriptor: CInt, wake: @escaping @Sendable () -> Void) throws -> UInt64 {
        let key = wakeUps.withLock { state in
            state.next += 1
            state.byKey[state.next] = wake
            return state.next
        }
        // Registered but not armed: no events until the first EPOLLIN.
        var event = epoll_event(events: EPOLLONESHOT.rawValue, data: epoll_data(u64: key))
        guard epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw SystemError(call: "epoll_ctl") }
        return key
    }

    func arm(_ descriptor: CInt, key: UInt64) {
        var event = epoll_event(events: EPOLLIN.rawValue | EPOLLONESHOT.rawValue, data: epoll_data(u64: key))
        epoll_ctl(set, EPOLL_CTL_MOD, descriptor, &event)
    }

    func remove(_ descriptor: CInt, key: UInt64) {
        var unused = epoll_event()
        epoll_ctl(set, EPOLL_CTL_DEL, descriptor, &unused)
        wakeUps.withLock { _ = $0.byKey.removeValue(forKey: key) }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = Int(epoll_wait(set, &events, CInt(events.count), -1))
            for index in 0..<max(0, count) {
                let key = events[index].data.u64
                wakeUps.withLock { $0.byKey[key] }?()
            }
        }
    }
}
