import Flow
import NIOCore

/// One timer on an event loop that only ever needs its earliest deadline.
///
/// libcurl moves its deadline with nearly every request, mostly to a later one; a timer of NIO costs an allocation and a
/// search when it is cancelled. So nothing is cancelled: a task that an earlier deadline has overtaken finds itself void.
final class DeadlineTimer {
    private let eventLoop: any EventLoop
    private let clock: () -> Instant
    private var next = Instant.distantFuture

    init(on eventLoop: any EventLoop, clock: @escaping () -> Instant) {
        self.eventLoop = eventLoop
        self.clock = clock
    }

    /// Calls back at `deadline` at the latest, once; what is still waited for then must be set again.
    func call(by deadline: Instant, _ body: @escaping () -> Void) {
        guard deadline < next else { return }
        next = deadline
        let delay = max(0, deadline.nanoseconds - clock().nanoseconds)
        eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) { [self] in
            guard next == deadline else { return }
            next = .distantFuture
            body()
        }
    }
}
