/// Signals an event loop's ``LoopWakeup`` when its epoll set of foreign sockets has something to read.
///
/// NIO has no public way to watch a foreign descriptor. There are two ways around it, and one is chosen at start:
/// ``AIOWaker`` without a thread, ``ThreadWaker`` if the system forbids AIO. All calls are on the loop.
protocol LoopWaker: AnyObject {
    /// Asks for one signal: as soon as the set has something ready, at once if it has it already.
    func arm()

    /// No further signal.
    func stop()
}

/// Which way the event loops are woken for the sockets of libcurl.
package enum Waking: String, Sendable, CaseIterable {
    /// AIO if the system permits it, else the helper thread.
    case auto
    /// Linux AIO poll on the epoll descriptor, reported through an eventfd.
    case aio
    /// One helper thread that watches the loops' epoll descriptors; costs a thread hop a turn, 10 to 15 % on live streams.
    case thread
}
