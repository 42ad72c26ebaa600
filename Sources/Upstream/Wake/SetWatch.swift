import NIOCore

/// Calls back on an event loop when an epoll set of foreign sockets has something to read.
///
/// The loop reads a ``LoopWakeup`` like any of its sockets, and a ``LoopWaker`` signals it.
final class SetWatch {
    private let eventLoop: any EventLoop
    private let wakeup: LoopWakeup
    private var waker: (any LoopWaker)?

    /// - Throws: If the system has no descriptor left.
    init(on eventLoop: any EventLoop) throws {
        self.eventLoop = eventLoop
        wakeup = try LoopWakeup(on: eventLoop)
    }

    /// Chooses how the loop is woken, and begins to listen.
    ///
    /// - Parameters:
    ///   - set: The epoll descriptor.
    ///   - waking: Which way to use.
    ///   - woken: Called on the loop, once for all signals since the last call; retained until ``stop()``.
    /// - Returns: The way that was chosen.
    func start(on set: CInt, waking: Waking, woken: @escaping () -> Void) -> EventLoopFuture<Waking> {
        let usesAIO = waking == .aio || (waking == .auto && AIOWaker.isPermitted())
        do {
            let waker: any LoopWaker =
                usesAIO
                ? try AIOWaker(watching: set, wakeup: wakeup) : try ThreadWaker(watching: set, wakeup: wakeup)
            self.waker = waker
            let bound = NIOLoopBound(waker, eventLoop: eventLoop)
            return wakeup.start(woken: woken).map {
                bound.value.arm()
                return usesAIO ? .aio : .thread
            }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    /// Asks for one call: as soon as the set has something ready, at once if it has it already.
    func arm() { waker?.arm() }

    /// Asks for a call as soon as the loop has looked at its own sockets.
    func callSoon() { wakeup.signal() }

    /// No further call.
    func stop() {
        waker?.stop()
        waker = nil
        wakeup.stop()
    }
}
