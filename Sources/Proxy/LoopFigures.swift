import Flow
import NIOConcurrencyHelpers
import NIOCore
import Observability

/// A copy of what an event loop has counted, joined over the loops.
struct LoopFigures: Sendable {
    var routes: [String: RouteTally] = [:]
    var lag = Histogram(bounds: Histogram.lagBounds)
    var lastMinute = HealthWindow.Change()
    var older = OlderStreams()

    static func += (left: inout LoopFigures, right: LoopFigures) {
        for (name, tally) in right.routes { left.routes[name, default: RouteTally()] += tally }
        left.lag += right.lag
        left.lastMinute += right.lastMinute
        left.older += right.older
    }
}

extension Worker {
    /// What this loop has counted so far.
    ///
    /// - Complexity: O(open streams of the loop), well under a microsecond for each: the price of a scrape, so that what a
    ///   queue holds needs no count of its own with each record.
    func figures() -> LoopFigures {
        let now = clock()
        for meter in meters.routes.values { meter.tally.running = .init() }
        var older = OlderStreams()
        let generation = shared.served.generation
        for driver in openDrivers {
            driver.addRunning(at: now)
            if driver.asked.generation < generation { older.add(began: driver.began, at: now) }
        }
        return LoopFigures(
            routes: meters.routes.mapValues(\.tally), lag: meters.lag, lastMinute: meters.lastMinute(at: now),
            older: older)
    }
}

/// The event loops, for whoever needs something of each; known once all of them are made.
final class LoopRoster: Sendable {
    private let workers = NIOLockedValueBox<[NIOLoopBound<Worker>]>([])

    func add(_ worker: NIOLoopBound<Worker>) { workers.withLockedValue { $0.append(worker) } }

    /// Asks every loop, each on itself, and joins the answers.
    ///
    /// - Parameter loop: Where the future is answered.
    /// - Returns: The sum; a failure only where a loop has been shut down.
    func figures(on loop: any EventLoop) -> EventLoopFuture<LoopFigures> {
        join(into: LoopFigures(), on: loop, { $0.figures() }, +=)
    }

    /// Asks every loop something, each on itself, and joins the answers on `loop`.
    func join<Part: Sendable>(
        into start: Part, on loop: any EventLoop, _ ask: @escaping @Sendable (Worker) -> Part,
        _ add: @escaping @Sendable (inout Part, Part) -> Void
    ) -> EventLoopFuture<Part> {
        let parts = workers.withLockedValue { $0 }.map { worker in
            worker.eventLoop.submit { ask(worker.value) }
        }
        return EventLoopFuture.reduce(into: start, parts, on: loop, add)
    }
}
