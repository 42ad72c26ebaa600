import Flow
import Observability
import Proxy

/// The state of the proxy at one instant, for operators: the JSON object of `docs/ADMIN.md`.
struct LiveSnapshot {
    static let mostBreakers = 100

    /// Joined over all event loops.
    let overview: LoopOverview
    /// The names of the current routes, in the order of the configuration.
    let routes: [String]
    /// Breakers that are not closed, at most ``mostBreakers``.
    let breakers: [BreakerReport]
    let upstreams: [UpstreamReport]
    let health: HealthReport
    let process: ProcessReport
    let isDraining: Bool
    /// Whether the admin listener accepts requests that end streams or reset breakers.
    let takesActions: Bool
    /// The counts of the overview, and of the previous snapshot.
    let sample: LiveSample
    let earlier: LiveSample

    /// - Parameter time: The time of day.
    /// - Returns: One JSON object without a newline.
    /// - Complexity: O(routes).
    func json(at time: Timestamp) -> [UInt8] {
        var json = JSONText(capacity: 4096)
        json.add("time", time.rfc3339)
        json.add("version", process.build.version)
        let uptime = time.millisecondsSince1970 - process.build.start.millisecondsSince1970
        json.add("uptime", seconds: .milliseconds(max(0, uptime)))
        json.add("state", isDraining ? "draining" : "ready")
        json.add("health", health.status.rawValue)
        json.add("reasons", health.checks)
        json.add("actions", takesActions)
        json.add("configuration", json: configuration)
        if let replicas = process.replicas { json.add("replicas", json: Self.json(of: replicas)) }
        json.add("totals", json: totals)
        json.add("routes", array: names.map { route($0) })
        json.add("upstreams", array: upstreams.map { UpstreamJSON.report($0, at: sample.at) })
        json.add("breakers", array: breakers.map { breaker($0) })
        json.add("slowest", array: overview.slowest.streams.map { StreamJSON.summary($0) })
        json.add("pulls", array: overview.pulls.summaries.map { pull($0) })
        return json.closed()
    }

    /// What a chart of the past needs: the members that count, as in ``json(at:)``.
    func pastJSON(at time: Timestamp) -> [UInt8] {
        var json = JSONText(capacity: 1024)
        json.add("time", time.rfc3339)
        let uptime = time.millisecondsSince1970 - process.build.start.millisecondsSince1970
        json.add("uptime", seconds: .milliseconds(max(0, uptime)))
        json.add("totals", json: totals)
        json.add("routes", array: names.map { route($0) })
        return json.closed()
    }

    /// Each name once: the current routes, then those that a reload has removed and that still have streams.
    private var names: [String] {
        var known: Set<String> = []
        let removed = overview.figures.routes.keys.filter { $0 != LoopFigures.unrouted }.sorted()
        return (routes + removed).filter { known.insert($0).inserted }
    }

    private var configuration: [UInt8] {
        let older = overview.figures.older
        var json = JSONText()
        json.add("generation", process.generation)
        json.add("taken", process.reloads.taken.rfc3339)
        json.add("lastReload", process.reloads.isRefused ? "refused" : "taken")
        json.add("olderStreams", older.count)
        json.add("oldest", seconds: older.oldest)
        return json.closed()
    }

    private static func json(of replicas: ReplicasFigures) -> [UInt8] {
        var json = JSONText()
        json.add("name", replicas.name)
        json.add("count", replicas.replicas)
        json.add("shared", replicas.isUp)
        json.add("failures", StoreFailure.allCases.reduce(0) { $0 + replicas.failures[$1] })
        return json.closed()
    }

    private var totals: [UInt8] {
        let tallies = overview.figures.routes.values, names = names
        var json = JSONText()
        json.add("activeStreams", tallies.reduce(0) { $0 + $1.active })
        json.add("recordsPerSecond", names.reduce(0) { $0 + sample.recordsPerSecond(of: $1, since: earlier) })
        json.add("bytesPerSecond", names.reduce(0) { $0 + sample.bytesPerSecond(of: $1, since: earlier) })
        json.add("bufferRecords", tallies.reduce(0) { $0 + $1.running.records })
        json.add("bufferBytes", tallies.reduce(0) { $0 + $1.running.bytes })
        json.add("bufferCapacityRecords", tallies.reduce(0) { $0 + $1.running.recordCapacity })
        json.add("bufferCapacityBytes", tallies.reduce(0) { $0 + $1.running.byteCapacity })
        json.add("refusals", tallies.reduce(0) { $0 + $1.refusals.total })
        return json.closed()
    }

    private func route(_ name: String) -> [UInt8] {
        let tally = overview.figures.routes[name] ?? RouteTally()
        var json = JSONText(capacity: 512)
        json.add("route", name)
        json.add("activeStreams", tally.active)
        json.add("recordsPerSecond", sample.recordsPerSecond(of: name, since: earlier))
        json.add("bytesPerSecond", sample.bytesPerSecond(of: name, since: earlier))
        json.add("refused", json: counts(Problem.Kind.allCases.map { ($0.rawValue, tally.refusals[$0]) }))
        json.add("outcomes", json: counts(Outcome.allCases.map { ($0.rawValue, tally.outcomes[$0]) }))
        json.add("bufferRecords", tally.running.records)
        json.add("bufferBytes", tally.running.bytes)
        return json.closed()
    }

    private func pull(_ pull: PullSummary) -> [UInt8] {
        var json = JSONText()
        json.add("route", pull.route)
        json.add("path", pull.path)
        if let upstream = pull.upstream { json.add("upstream", upstream) }
        json.add("readers", pull.readers)
        json.add("records", pull.records)
        json.add("bytes", pull.bytes)
        json.add("lag", pull.lag)
        json.add("paused", pull.isPaused)
        json.add("duration", seconds: pull.lasted)
        return json.closed()
    }

    /// The counts that are not zero.
    private func counts(_ counts: [(String, Int)]) -> [UInt8] {
        var json = JSONText()
        for (name, count) in counts where count > 0 { json.add(name, count) }
        return json.closed()
    }

    private func breaker(_ breaker: BreakerReport) -> [UInt8] {
        var json = JSONText()
        json.add("route", breaker.route)
        json.add("kind", breaker.kind.rawValue)
        json.add(breaker.kind.rawValue, breaker.name)
        json.add("state", breaker.state.rawValue)
        json.add("retryAfter", seconds: breaker.openFor)
        return json.closed()
    }
}
