import NIOCore
import NIOPosix
import Synchronization

/// What a condition was waited for, and did not come.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// How long a test waits for what must happen: far longer than it takes, so that only a fault runs into it.
let answerTimeout = TimeAmount.seconds(20)

/// A value that others change, and that can be waited for.
final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let condition: @Sendable (Value) -> Bool
        let promise: EventLoopPromise<Value>
    }

    private let state: Mutex<(value: Value, waiters: [Waiter])>

    init(_ value: Value) { state = Mutex((value, [])) }

    var value: Value { state.withLock { $0.value } }

    func update(_ change: (inout Value) -> Void) {
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
    @discardableResult func wait(
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
