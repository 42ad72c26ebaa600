import NIOCore

/// Wakes an event loop when its epoll set of foreign sockets has something to read.
///
/// NIO has no public way to watch a foreign descriptor. Two ways around it stand behind this protocol; which one is
/// chosen at start: ``AIOWaker`` without a thread, ``ThreadWaker`` where the system forbids AIO.
protocol LoopWaker: AnyObject {
    /// Gets ready; on the loop, before the first `arm()`.
    func start() -> EventLoopFuture<Void>

    /// Asks for one wake-up: on the loop, as soon as the set has something ready. Called on the loop.
    func arm()

    /// No further wake-up; called on the loop.
    func stop()
}

/// Which way the event loops are woken for the sockets of libcurl.
package enum Waking: String, Sendable, CaseIterable {
    /// AIO where the system permits it, else the helper thread.
    case auto
    /// Linux AIO poll on the epoll descriptor, told through an eventfd.
    case aio
    /// One helper thread that watches the loops' epoll descriptors; costs a thread hop a turn, 10 to 15 % on live streams.
    case thread
}
