import Flow
import NIOConcurrencyHelpers
import Observability
import Settings

/// What an event loop shows of itself, joined over the loops.
struct LoopView: Sendable {
    var figures = LoopFigures()
    var slowest = SlowestStreams()

    static func += (left: inout LoopView, right: LoopView) {
        left.figures += right.figures
        left.slowest += right.slowest
    }
}

/// What left on each route until some instant; two of them make a rate.
struct LiveSample: Sendable {
    var at: Instant
    var records: [String: Int] = [:]
    var bytes: [String: Int] = [:]

    /// Before anything was counted.
    init(at now: Instant) { at = now }

    init(of figures: LoopFigures, at now: Instant) {
        at = now
        records = figures.routes.mapValues(\.records)
        bytes = figures.routes.mapValues(\.bytes)
    }

    /// What has been counted since, in a second.
    func perSecond(
        _ count: KeyPath<LiveSample, [String: Int]>, of route: String, since earlier: LiveSample
    ) -> Double {
        let time = (at - earlier.at).inSeconds
        let change = self[keyPath: count][route, default: 0] - earlier[keyPath: count][route, default: 0]
        // One decimal: more would be noise.
        return time > 0 ? (Double(change) / time * 10).rounded() / 10 : 0
    }
}

/// How the proxy stands at one instant, for operators: the JSON object of `docs/ADMIN.md`.
struct LiveSnapshot {
    static let mostBreakers = 100

    let view: LoopView
    let shared: Shared
    let sample: LiveSample
    let earlier: LiveSample

    private var names: [String] {
        var known: Set<String> = []
        let gone = view.figures.routes.keys.filter { $0 != LoopMetrics.unrouted }.sorted()
        return (shared.served.routes.map(\.name) + gone).filter { known.insert($0).inserted }
    }

    var json: [UInt8] {
        var json = JSONText(capacity: 4096)
        let time = Timestamp.now()
        json.add("time", time.rfc3339)
        json.add("version", shared.build.version)
        let uptime = time.millisecondsSince1970 - shared.build.start.millisecondsSince1970
        json.add("uptime", seconds: .milliseconds(max(0, uptime)))
        json.add("state", shared.isDraining ? "draining" : "ready")
        json.add("actions", AdminAccess(token: shared.served.configuration.adminToken).mayAct)
        json.add("configuration", json: configuration)
        json.add("totals", json: totals)
        json.add("routes", array: names.map { route($0) })
        json.add("breakers", array: breakers)
        json.add("slowest", array: view.slowest.streams.map(\.json))
        return json.closed()
    }

    private var configuration: [UInt8] {
        let reloads = shared.reloads.withLockedValue { $0 }
        var json = JSONText()
        json.add("generation", shared.served.generation)
        json.add("taken", reloads.taken.rfc3339)
        json.add("lastReload", reloads.isRefused ? "refused" : "taken")
        json.add("olderStreams", view.figures.older.count)
        json.add("oldest", seconds: view.figures.older.oldest)
        return json.closed()
    }

    private var totals: [UInt8] {
        let tallies = view.figures.routes.values
        var json = JSONText()
        json.add("activeStreams", tallies.reduce(0) { $0 + $1.active })
        json.add("recordsPerSecond", names.reduce(0) { $0 + perSecond(\.records, $1) })
        json.add("bytesPerSecond", names.reduce(0) { $0 + perSecond(\.bytes, $1) })
        json.add("bufferRecords", tallies.reduce(0) { $0 + $1.running.records })
        json.add("bufferBytes", tallies.reduce(0) { $0 + $1.running.bytes })
        json.add("bufferCapacityRecords", tallies.reduce(0) { $0 + $1.running.recordCapacity })
        json.add("bufferCapacityBytes", tallies.reduce(0) { $0 + $1.running.byteCapacity })
        json.add("refusals", tallies.reduce(0) { $0 + $1.refusals.total })
        return json.closed()
    }

    private func route(_ name: String) -> [UInt8] {
        let tally = view.figures.routes[name] ?? RouteTally()
        var json = JSONText(capacity: 512)
        json.add("route", name)
        json.add("activeStreams", tally.active)
        json.add("recordsPerSecond", perSecond(\.records, name))
        json.add("bytesPerSecond", perSecond(\.bytes, name))
        json.add("refused", json: counts(Problem.Kind.allCases.map { ($0.rawValue, tally.refusals[$0]) }))
        json.add("outcomes", json: counts(Outcome.allCases.map { ($0.rawValue, tally.outcomes[$0]) }))
        json.add("bufferRecords", tally.running.records)
        json.add("bufferBytes", tally.running.bytes)
        return json.closed()
    }

    private func perSecond(_ count: KeyPath<LiveSample, [String: Int]>, _ route: String) -> Double {
        sample.perSecond(count, of: route, since: earlier)
    }

    /// Those that are not zero.
    private func counts(_ counts: [(String, Int)]) -> [UInt8] {
        var json = JSONText()
        for (name, count) in counts where count > 0 { json.add(name, count) }
        return json.closed()
    }

    private var breakers: [[UInt8]] {
        var told: [[UInt8]] = []
        for route in shared.served.routes where told.count < Self.mostBreakers {
            told += route.standingBreakers(atMost: Self.mostBreakers - told.count, at: sample.at).map(\.json)
        }
        return told
    }
}

/// A breaker that is not closed.
struct StandingBreaker: Sendable {
    var route: String
    var kind: AdmissionGate.BreakerKind
    /// Whose it is: the upstream's address, or the client as it may be shown.
    var name: String
    var state: CircuitBreaker.State
    var openFor: Duration

    var json: [UInt8] {
        var json = JSONText()
        json.add("route", route)
        json.add("kind", kind.rawValue)
        json.add(kind.rawValue, name)
        json.add("state", state.rawValue)
        json.add("retryAfter", seconds: openFor)
        return json.closed()
    }
}

extension ProxyRoute {
    /// - Complexity: O(clients that have failed lately), under the gate's lock.
    fileprivate func standingBreakers(atMost limit: Int, at now: Instant) -> [StandingBreaker] {
        let (upstreams, clients) = gate.withState { gate in
            (gate.upstreams.standing(at: now), gate.clientBreakers?.standing(atMost: limit, at: now) ?? [])
        }
        var told: [StandingBreaker] = []
        for upstream in upstreams {
            guard let state = upstream.state, state != .closed else { continue }
            told.append(
                StandingBreaker(
                    route: name, kind: .upstream, name: upstream.name, state: state, openFor: upstream.openFor))
        }
        told += clients.map {
            StandingBreaker(
                route: name, kind: .client, name: shown($0.client), state: $0.state, openFor: $0.openFor)
        }
        return Array(told.prefix(limit))
    }

    /// A header's value may be a secret; an address is none.
    func shown(_ client: ClientKey) -> String {
        switch settings.clientKey {
        case .address, .certificate: client.text
        case .header: "#" + ShortHash.text(of: client, digits: 8)
        }
    }
}
