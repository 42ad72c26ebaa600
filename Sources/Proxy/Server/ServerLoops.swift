import Downstream
import NIOCore
import NIOPosix
import Observability

/// The event loops of a server and what is on them, from its start to their end.
///
/// The start fills it step by step, so that one that fails half-way ends in the same order as a drain.
struct ServerLoops: Sendable {
    /// A message between loops causes at most two more, as of a batch of records, its confirmation and the next batch.
    private static let longestChain = 3

    let group: MultiThreadedEventLoopGroup
    let all: [any EventLoop]
    var shared: Shared?
    /// One for each loop, in the same order.
    var workers: [NIOLoopBound<Worker>] = []
    /// On the first loop.
    var admin: NIOLoopBound<AdminListener>?
    private let calls = LoopCalls()

    init(count: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        all = group.makeIterator().map { $0 as any EventLoop }
    }

    // MARK: Calls

    /// Calls a function with each worker, on its loop, at the same time; does nothing once the loops are to be shut down.
    func onEachWorker(_ body: @escaping @Sendable (Worker) -> Void) async {
        await calls.make { for call in onWorkers(body) { try? await call.get() } }
    }

    /// Adds up a number of all workers; 0 once the loops are to be shut down.
    func sum(_ figure: @escaping @Sendable (Worker) -> Int) async -> Int {
        await calls.make {
            var total = 0
            for call in onWorkers(figure) { total += (try? await call.get()) ?? 0 }
            return total
        } ?? 0
    }

    private func onWorkers<Result: Sendable>(
        _ body: @escaping @Sendable (Worker) -> Result
    ) -> [EventLoopFuture<Result>] {
        workers.map { worker in worker.eventLoop.submit { body(worker.value) } }
    }

    /// Calls a function with the admin listener, if there is one, as ``onEachWorker(_:)`` does.
    func onAdmin(_ body: @escaping @Sendable (AdminListener) -> Void) async {
        guard let admin else { return }
        await calls.make { try? await all[0].submit { body(admin.value) }.get() }
    }

    // MARK: The end

    /// Ends what is on the loops, and then the loops.
    ///
    /// Called once. No call from another thread reaches a loop after this.
    func shutDown() async {
        _ = shared?.process.readiness.beganDraining()
        await onEachWorker { $0.stop() }
        await onAdmin { $0.stop() }
        await calls.close()
        if let replicas = shared?.replicas { try? await all[0].submit { replicas.stop() }.get() }
        shared?.roster.close()
        await messagesArrive()
        try? await group.shutdownGracefully()
        // It is the last that the other loops have messages for.
        await shared?.telemetry?.shutDown()
    }

    /// Waits for the messages that loops have sent each other: none may arrive at a loop that has been shut down.
    private func messagesArrive() async {
        for _ in 0..<Self.longestChain { for loop in all { try? await loop.submit {}.get() } }
    }
}
