import Downstream
import Flow
import Observability
import Upstream

// The reports of an event loop for operators.

extension Worker: LoopReporter {
    /// The counts of this loop so far.
    ///
    /// - Complexity: O(open streams of the loop), well under a microsecond for each: the cost of a scrape, so that the bytes
    ///   of a queue need no count per record.
    func figures() -> LoopFigures {
        let now = clock()
        for meter in meters.routes.values { meter.tally.running = .init() }
        var figures = LoopFigures()
        let generation = shared.served.generation
        for stream in streams.all {
            stream.account.addRunning(
                of: stream.pipe, stream.machine, isPulling: stream.isPulling, at: now)
            if stream.request.served.generation < generation { figures.older.add(began: stream.began, at: now) }
        }
        pulls.addRunning(to: meters)
        let idle = upstream.idleConnections()
        for route in shared.served.routes {
            for upstream in route.upstreams {
                let count = idle[ObjectIdentifier(upstream.origin)] ?? 0
                meters.route(route).tally.running.idleConnections += count
            }
        }
        figures.routes = meters.routes.mapValues(\.tally)
        figures.lag = meters.lag
        figures.lastMinute = meters.lastMinute(at: now)
        return figures
    }

    /// The counts of this loop, its slowest streams and its shared requests.
    ///
    /// - Complexity: O(open streams of the loop).
    func overview() -> LoopOverview {
        let now = clock()
        var overview = LoopOverview()
        for stream in streams.all { overview.slowest.add(StreamSummary(of: stream, at: now)) }
        overview.pulls = pulls.summaries(at: now)
        overview.figures = figures()
        return overview
    }

    /// The open streams of a client on this loop, reported as they were before they ended if `isEnding`.
    ///
    /// - Parameters:
    ///   - client: Its address, or its name for operators.
    ///   - isEnding: Whether they are ended.
    /// - Returns: Their reports.
    /// - Complexity: O(open streams of the loop).
    func streams(of client: String, isEnding: Bool) -> ClientStreams {
        let now = clock()
        var found = ClientStreams()
        for stream in Array(streams.all) where stream.isOf(client) {
            found.add(StreamSummary(of: stream, at: now))
            if isEnding { stream.end(.cancelled, problem: .endedByOperator) }
        }
        if isEnding { turnEnded() }
        return found
    }

    /// The open stream of this loop with this handle, reported as it was before it ended if `isEnding`.
    ///
    /// - Returns: `nil` if there is none.
    /// - Complexity: O(open streams of the loop): operators ask rarely, and an index would cost each stream.
    func report(of handle: StreamHandle, isEnding: Bool) -> StreamReport? {
        guard let stream = streams.all.first(where: { StreamHandle(of: $0.id) == handle }) else { return nil }
        let report = StreamReport(of: stream, at: clock())
        if isEnding {
            stream.end(.cancelled, problem: .endedByOperator)
            turnEnded()
        }
        return report
    }
}

extension Stream {
    /// Whether this is the address of its client, or the client's name for operators.
    fileprivate func isOf(_ client: String) -> Bool {
        request.client == client || route.shown(request.key) == client
    }
}
