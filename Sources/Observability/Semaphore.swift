#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A counting semaphore: signals are never lost, and signalling never waits (POSIX `sem_t`).
///
/// Unchecked, because of the pointer: it is set once, and `sem_t` is made for use by many threads.
final class Semaphore: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        let result = sem_init(semaphore, 0, 0)
        precondition(result == 0, "a process-private semaphore of value 0 can always be created")
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0, errno == EINTR {}
    }

    /// Waits with a timeout.
    ///
    /// - Returns: Whether there was a signal in time.
    func wait(atMost duration: Duration) -> Bool {
        // sem_timedwait uses the wall clock only; a change of it makes this wait longer or shorter, which is
        // acceptable.
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let (seconds, attoseconds) = max(duration, .zero).components
        let nanoseconds = Int64(deadline.tv_nsec) + attoseconds / 1_000_000_000
        deadline.tv_sec += time_t(seconds + nanoseconds / 1_000_000_000)
        deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        while sem_timedwait(semaphore, &deadline) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}
