import NIOConcurrencyHelpers
import NIOCore

/// One member of each event loop, for requests to all of them; complete once all are created.
final class LoopRoster<Member>: Sendable {
    /// The maximum time of a loop's report: less than a scraper's timeout, more than a turn takes.
    private static var answerTimeout: TimeAmount { .seconds(2) }
    /// `nil` once the loops are to be shut down.
    private let members = NIOLockedValueBox<[NIOLoopBound<Member>]?>([])

    func add(_ member: NIOLoopBound<Member>) { members.withLockedValue { $0?.append(member) } }

    /// The loops are to be shut down: every further request fails.
    func close() { members.withLockedValue { $0 = nil } }

    /// Calls `ask` with the member of every loop, each on its loop, and adds up the results on `loop`.
    ///
    /// - Parameters:
    ///   - start: The initial value of the sum.
    ///   - loop: The loop of the future and of `add`.
    ///   - ask: Called on each loop.
    ///   - add: Adds one result.
    /// - Returns: The sum; ``LoopSilent`` if a loop does not report in time, or after ``close()``.
    func join<Part: Sendable>(
        into start: Part, on loop: any EventLoop, _ ask: @escaping @Sendable (Member) -> Part,
        _ add: @escaping @Sendable (inout Part, Part) -> Void
    ) -> EventLoopFuture<Part> {
        guard let members = members.withLockedValue({ $0 }) else { return loop.makeFailedFuture(LoopSilent()) }
        let parts = members.map { member in member.eventLoop.submit { ask(member.value) } }
        return EventLoopFuture.reduce(into: start, parts, on: loop, add).within(Self.answerTimeout, on: loop)
    }
}

/// An event loop did not report in time: it is blocked, gets no processor time, or ends.
struct LoopSilent: Error {}

extension EventLoopFuture where Value: Sendable {
    /// The same result on `loop`, or ``LoopSilent`` after `time`.
    func within(_ time: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<Value> {
        let promise = loop.makePromise(of: Value.self)
        // The second of the two completions is ignored.
        let deadline = loop.scheduleTask(in: time) { promise.fail(LoopSilent()) }
        hop(to: loop).whenComplete { result in
            deadline.cancel()
            promise.completeWith(result)
        }
        return promise.futureResult
    }
}
