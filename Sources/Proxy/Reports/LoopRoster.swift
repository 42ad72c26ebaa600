import NIOConcurrencyHelpers
import NIOCore

/// The members of all event loops, one of each, for a question to all of them; complete once all are made.
final class LoopRoster<Member>: Sendable {
    /// How long a loop has to answer: less than a scraper waits, more than a turn takes.
    private static var answerTimeout: TimeAmount { .seconds(2) }
    private let members = NIOLockedValueBox<[NIOLoopBound<Member>]>([])

    func add(_ member: NIOLoopBound<Member>) { members.withLockedValue { $0.append(member) } }

    /// Asks the member of every loop, each on its loop, and adds up the answers on `loop`.
    ///
    /// - Parameters:
    ///   - start: What the answers are added to.
    ///   - loop: The loop of the future and of `add`.
    ///   - ask: Is called on each loop.
    ///   - add: Adds one answer.
    /// - Returns: The sum; a failure if a loop has been shut down or does not answer in time (``LoopSilent``).
    func join<Part: Sendable>(
        into start: Part, on loop: any EventLoop, _ ask: @escaping @Sendable (Member) -> Part,
        _ add: @escaping @Sendable (inout Part, Part) -> Void
    ) -> EventLoopFuture<Part> {
        let parts = members.withLockedValue { $0 }.map { member in
            member.eventLoop.submit { ask(member.value) }
        }
        return EventLoopFuture.reduce(into: start, parts, on: loop, add).within(Self.answerTimeout, on: loop)
    }
}

/// An event loop has not answered in time: it is blocked, or gets no processor time.
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
