import Flow
import Settings

/// All clients of a load in virtual time: their starts are decided by the machine of the route, and what an admitted stream
/// does is that of the ``ModelClient`` of its kind.
struct Fleet {
    let load: Load
    let route: PlannedRoute
    let grid: Grid
    /// By step.
    private(set) var starts: [Int]
    private(set) var rejections: [Int]
    private(set) var reached: [Plan.Reached] = []
    /// The fates of a client's streams, of the fast kind and the slow one.
    private var fates: [[ModelClient.Fate]] = []
    /// Admitted streams, by kind, stream of the client, and step of the start.
    private var begun: [[[Int]]]

    /// The buffered bytes at the end of the step of the last start.
    private var buffered = (step: -1, bytes: ByteCount.zero)

    private struct Rejection: Error {
        /// The key of the configuration.
        let limit: String
    }

    private enum Event {
        case start(client: Int)
        case end(kind: Int, stream: Int, AdmissionGrant)
    }

    init(_ load: Load, on route: PlannedRoute) {
        (self.load, self.route, grid) = (load, route, Grid(load.duration))
        starts = Array(repeating: 0, count: grid.count)
        rejections = starts
        begun = Array(repeating: Array(repeating: starts, count: load.streamsPerClient), count: 2)
    }

    mutating func run(_ terms: Terms) throws(PlanError) {
        for isSlow in [false, true] {
            let isNeeded = isSlow ? slowClients(of: load.clients) > 0 : slowClients(of: load.clients) < load.clients
            fates.append(
                isNeeded
                    ? try ModelClient.fates(of: load, isSlow: isSlow, on: route, terms: terms, grid: grid)
                    : Array(repeating: ModelClient.Fate(), count: load.streamsPerClient))
        }
        admitAll()
    }

    /// The slow ones among the first clients: they are distributed evenly.
    private func slowClients(of clients: Int) -> Int { Int((Double(clients) * load.slowPart).rounded()) }

    // MARK: Starts

    private mutating func admitAll() {
        var gate = GateState(rules: GateRules(route.route), upstreams: route.route.upstreams.map(\.text))
        var queue = EventQueue<Event>()
        for client in 0..<load.clients {
            queue.add(.start(client: client), at: Int64(Double(client) / load.arrivals * 1e9))
        }
        var open = 0
        let end = load.duration.nanoseconds
        while let (time, event) = queue.removeFirst(), time < end {
            let now = Instant(nanoseconds: time + Self.start)
            switch event {
            case .end(let kind, let stream, let grant):
                gate.release(grant, at: now)
                open -= 1
                if let (_, outcome) = fates[kind][stream].end { reach(endedBy(outcome), .ends, at: time) }
            case .start(let client):
                let kind = slowClients(of: client + 1) > slowClients(of: client) ? 1 : 0
                for stream in 0..<load.streamsPerClient {
                    do throws(Rejection) {
                        let grant = try admit(client, kind, stream, open: open, in: &gate, at: now)
                        open += 1
                        starts[grid.step(of: time)] += 1
                        begun[kind][stream][grid.step(of: time)] += 1
                        note(fates[kind][stream], begunAt: time)
                        guard let (after, _) = fates[kind][stream].end else { continue }
                        queue.add(.end(kind: kind, stream: stream, grant), at: time + after.nanoseconds)
                    } catch {
                        rejections[grid.step(of: time)] += 1
                        reach(error.limit, .rejects, at: time)
                    }
                }
            }
        }
    }

    private mutating func admit(
        _ client: Int, _ kind: Int, _ stream: Int, open: Int, in gate: inout GateState, at now: Instant
    ) throws(Rejection) -> AdmissionGrant {
        // Each stream of HTTP/1.1 has its own connection.
        if open >= route.limits.maxConnections { throw Rejection(limit: "limits.max_connections") }
        if open >= route.limits.maxStreams { throw Rejection(limit: "limits.max_streams") }
        if let ceiling = route.limits.maxBufferBytes {
            let step = grid.step(of: now.nanoseconds - Self.start)
            if buffered.step != step { buffered = (step, ByteCount(total(at: step).buffered)) }
            guard buffered.bytes < ceiling else { throw Rejection(limit: "limits.max_buffer_bytes") }
        }
        // A budget that the client's other streams have spent.
        if case .recordBudgetSpent? = fates[kind][stream].rejection {
            throw Rejection(limit: "streams.client_records")
        }
        do throws(AdmissionError) {
            return try gate.admit(ClientKey("\(client)"), tier: load.tier, at: now)
        } catch {
            throw Rejection(limit: error.limit)
        }
    }

    /// The time of the first client, so that no allowance is younger than a second.
    private static let start: Int64 = 1_000_000_000

    /// Notes what a stream reaches without being rejected.
    private mutating func note(_ fate: ModelClient.Fate, begunAt time: Int64) {
        for mark in ModelStream.Mark.allCases {
            guard let after = fate.marks[mark], case let at = time + after.nanoseconds, at < load.duration.nanoseconds
            else { continue }
            switch mark {
            case .waitsForPace: reach("rate", .slows, at: at)
            case .waitsForBudget: reach("streams.client_records", .slows, at: at)
            case .bufferFull: reach("buffer", .slows, at: at)
            case .dropped: reach("overflow", .drops, at: at)
            }
        }
    }

    private mutating func reach(_ limit: String, _ effect: Plan.Reached.Effect, at time: Int64) {
        if let known = reached.firstIndex(where: { $0.limit == limit && $0.effect == effect }) {
            let after = min(reached[known].after, .nanoseconds(time))
            reached[known] = Plan.Reached(limit: limit, after: after, count: reached[known].count + 1, effect: effect)
        } else {
            reached.append(Plan.Reached(limit: limit, after: .nanoseconds(time), count: 1, effect: effect))
        }
    }

    private func endedBy(_ outcome: Outcome) -> String {
        switch outcome {
        case .slowConsumer: route.overflow == .disconnect ? "overflow" : "stall_timeout"
        case .upstreamTimeout, .cancelled: "timeouts"
        default: outcome.rawValue
        }
    }

    // MARK: Sums

    /// All streams at the end of each step.
    var totals: [Work] { (0..<grid.count).map { total(at: $0) } }

    private func total(at step: Int) -> Work {
        var sum = Work()
        for kind in fates.indices {
            for (stream, fate) in fates[kind].enumerated() {
                for begin in 0...step where begun[kind][stream][begin] > 0 && step - begin < fate.steps.count {
                    sum += fate.steps[step - begin] * begun[kind][stream][begin]
                }
            }
        }
        return sum
    }
}

extension AdmissionError {
    /// The key of the limit that rejects.
    fileprivate var limit: String {
        switch self {
        case .tooManyStarts: "streams.starts"
        case .tooManyStreamsOfClient: "streams.per_client"
        case .tooManyStreamsOfRoute: "streams.per_route"
        case .upstreamBusy: "upstream_streams"
        case .clientBreakerOpen: "breaker"
        case .upstreamBreakerOpen: "upstream_breaker"
        case .upstreamDown, .upstreamDrained: "health_check"
        case .recordBudgetSpent, .recordQuotaSpent: "streams.client_records"
        case .proxyFull: "limits"
        }
    }
}
