import Flow
import NIOConcurrencyHelpers
import NIOCore
import Observability
import Upstream

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
        let idle = upstream.idleConnections()
        for route in shared.served.routes {
            for upstream in route.upstreams {
                let count = idle[ObjectIdentifier(upstream.origin)] ?? 0
                meters.route(route.name).tally.running.idleConnections += count
            }
        }
        return LoopFigures(
            routes: meters.routes.mapValues(\.tally), lag: meters.lag, lastMinute: meters.lastMinute(at: now),
            older: older)
    }
}

/// The event loops, for whoever needs something of each; known once all of them are made.
final class LoopRoster: Sendable {
    /// How long a loop has to answer: less than any scraper waits, more than any turn takes.
    private static let answerTimeout = TimeAmount.seconds(2)
    private let workers = NIOLockedValueBox<[NIOLoopBound<Worker>]>([])

    func add(_ worker: NIOLoopBound<Worker>) { workers.withLockedValue { $0.append(worker) } }

    /// Asks every loop, each on itself, and joins the answers.
    ///
    /// - Parameter loop: Where the future is answered.
    /// - Returns: The sum; a failure where a loop has been shut down or does not answer in time.
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
        return EventLoopFuture.reduce(into: start, parts, on: loop, add).within(Self.answerTimeout, on: loop)
    }
}

/// An event loop has not answered in time: it is stuck, or starved.
struct LoopSilent: Error {}

extension EventLoopFuture where Value: Sendable {
    /// The same, or ``LoopSilent`` once so much time has passed.
    func within(_ time: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<Value> {
        let promise = loop.makePromise(of: Value.self)
        // Whichever comes second is ignored.
        let deadline = loop.scheduleTask(in: time) { promise.fail(LoopSilent()) }
        hop(to: loop).whenComplete { result in
            deadline.cancel()
            promise.completeWith(result)
        }
        return promise.futureResult
    }
}
