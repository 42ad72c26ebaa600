import Downstream
import Flow
import Logging
import NIOCore
import Upstream

/// What a pull and its readers need of an event loop.
protocol PullHost: AnyObject {
    var eventLoop: any EventLoop { get }
    var timers: LoopTimers { get }
    /// The process's own log.
    var process: Logger { get }
    /// Whether all streams together hold more than they may.
    var isMemoryExceeded: Bool { get }

    /// Reads the monotonic clock.
    func now() -> Instant

    /// Makes the request of a pull ready.
    ///
    /// - Throws: If there is no memory for it.
    func makeTransfer(
        for key: SharingKey, of route: ProxyRoute, at upstream: RouteUpstream, delegate: any TransferDelegate
    ) throws -> any UpstreamTransfer

    func metrics(of route: ProxyRoute) -> RouteMetrics

    /// The retained records take that many bytes more, or fewer.
    func bufferChanged(by change: Int)

    /// Writes what was caused outside of a turn.
    func turnEnded()
}

/// Keeps the pulls of one loop.
protocol PullOwner: PullFeedOwner {
    /// Calls ``Pull/publishArrived()`` at the end of the turn.
    func recordsArrived(at pull: Pull)

    func pullEnded(_ pull: Pull)
}
