package import NIOCore
import NIOPosix
import Synchronization

/// A condition that was waited for and did not come true.
package struct TimedOut: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// How long a test waits for what must happen: far longer than it takes, so that only a fault reaches it.
package let answerTimeout = TimeAmount.seconds(60)

/// A value that any thread changes, and that a test waits for.
package final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let condition: @Sendable (Value) -> Bool
        let promise: EventLoopPromise<Value>
    }

    private let state: Mutex<(value: Value, waiters: [Waiter])>

    package init(_ value: Value) { state = Mutex((value, [])) }

    package var value: Value { state.withLock { $0.value } }

    package func update(_ change: (inout Value) -> Void) {
        let (value, met) = state.withLock { state in
            change(&state.value)
            let value = state.value
            let met = state.waiters.filter { $0.condition(value) }
            state.waiters.removeAll { $0.condition(value) }
            return (value, met)
        }
        for waiter in met { waiter.promise.succeed(value) }
    }

    /// Waits until the condition holds.
    @discardableResult package func wait(
        for what: String, until condition: @escaping @Sendable (Value) -> Bool
    ) async throws -> Value {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Value.self)
        let deadline = loop.scheduleTask(in: answerTimeout) { promise.fail(TimedOut(description: what)) }
        let value = state.withLock { state -> Value? in
            if condition(state.value) { return state.value }
            state.waiters.append(Waiter(condition: condition, promise: promise))
            return nil
        }
        if let value { promise.succeed(value) }
        defer { deadline.cancel() }
        return try await promise.futureResult.get()
    }
}
