import Flow
import Observability
import Proxy

/// All metrics, in the order of `docs/METRICS.md`: `GET /metrics`, and what is exported over OTLP.
struct MetricsPage<Output: MetricsOutput> {
    private typealias Tally = RouteTally

    private let figures: LoopFigures
    /// The names of the routes, each once, and their breakers.
    private let routes: [(name: String, breakers: [BreakerFigures])]
    private let upstreams: [UpstreamReport]
    private let process: ProcessReport
    private let usage: ProcessUsage
    private var text: Output

    /// - Parameters:
    ///   - figures: The counts of all event loops.
    ///   - breakers: The breakers of the current routes, in the order of the configuration.
    ///   - upstreams: The upstreams of the current routes.
    ///   - process: The report of the process.
    ///   - usage: What the process uses of the machine.
    ///   - output: Receives them.
    init(
        _ figures: LoopFigures, breakers: [BreakerFigures], upstreams: [UpstreamReport] = [], process: ProcessReport,
        usage: ProcessUsage = ProcessUsage(), to output: Output
    ) {
        self.figures = figures
        var seen: Set<[String]> = []
        self.upstreams = upstreams.filter { seen.insert([$0.route, $0.name]).inserted }
        (self.process, self.usage) = (process, usage)
        var routes: [(name: String, breakers: [BreakerFigures])] = []
        for route in breakers {
            if let known = routes.firstIndex(where: { $0.name == route.route }) {
                routes[known].breakers.append(route)
            } else {
                routes.append((route.route, [route]))
            }
        }
        // Routes that a reload has removed, until the last of their streams has ended.
        let removed = figures.routes.keys.filter { name in
            name != LoopFigures.unrouted && !routes.contains { $0.name == name }
        }
        self.routes = routes + removed.sorted().map { ($0, []) }
        text = output
    }

    /// Writes all of them.
    ///
    /// - Complexity: O(routes).
    consuming func written() -> Output {
        addStreams()
        addBuffers()
        addUpstreams()
        addEachUpstream()
        addSharing()
        addBreakers()
        addReplicas()
        addTelemetry()
        addProcess()
        return text
    }

    // MARK: Parts

    private mutating func addStreams() {
        add(.activeStreams) { $0.active }
        add(.streams, by: "outcome", \.outcomes, Outcome.allCases.map { ($0, $0.rawValue) })
        addTimes(.streamDuration, \.streams)
        addTimes(.streamFirstRecord, \.firstRecords)
        addTimes(.recordLateness, \.lateness)
        addTimes(.requestDuration, \.requests)
        addTimes(.requestFirstByte, \.firstBytes)
        text.begin(.responses)
        for (name, tally) in talliesWithUnrouted {
            for (code, count) in zip(ResponseCodes.names, tally.responses.counts) {
                text.add(["route": name, "code": code], count)
            }
        }
        add(.records) { $0.records }
        add(.units) { $0.allUnits }
        add(.bytes) { $0.bytes }
        text.begin(.recordsFailed)
        for (name, tally) in tallies {
            for cause in Tally.RecordFailure.allCases {
                let running = cause == .dropped ? tally.running.dropped : 0
                text.add(["route": name, "cause": cause.rawValue], tally.failed[cause] + running)
            }
        }
        add(.clientDisconnects, by: "cause", \.disconnects, Tally.Disconnect.allCases.map { ($0, $0.rawValue) })
        add(.unmeteredResponses, by: "cause", \.unmetered, UnmeteredCause.allCases.map { ($0, $0.rawValue) })
        add(.unknownTiers) { $0.unknownTiers }
        text.begin(.refusals)
        for (name, tally) in talliesWithUnrouted {
            for kind in Problem.Kind.allCases where kind.isOfRoutes {
                text.add(["route": name, "type": kind.rawValue], tally.refusals[kind])
            }
        }
    }

    private mutating func addBuffers() {
        add(.bufferRecords) { $0.running.records }
        add(.bufferRecordsCapacity) { $0.running.recordCapacity }
        add(.bufferBytes) { $0.running.bytes }
        add(.bufferBytesCapacity) { $0.running.byteCapacity }
    }

    private mutating func addUpstreams() {
        add(.upstreamPauses, by: "cause", \.pauses, PauseLog.Cause.allCases.map { ($0, $0.rawValue) })
        text.begin(.upstreamPaused)
        for (name, tally) in tallies {
            text.add(["route": name], seconds: (tally.paused + tally.running.paused).inSeconds)
        }
        add(.upstreamRetries) { $0.retries }
        text.begin(.upstreamConnections)
        for (name, tally) in tallies {
            text.add(["route": name, "state": "active"], tally.running.transfers)
            text.add(["route": name, "state": "idle"], tally.running.idleConnections)
        }
    }

    private mutating func addEachUpstream() {
        text.begin(.upstreamState)
        for upstream in upstreams {
            for state in UpstreamReport.State.allCases {
                text.add(
                    ["route": upstream.route, "upstream": upstream.name, "state": state.rawValue],
                    upstream.state == state ? 1 : 0)
            }
        }
        add(.upstreamOpenRequests) { $0.openRequests }
        add(.upstreamRequests) { $0.requests }
        add(.upstreamFailures) { $0.figures.failures }
        add(.upstreamResponses) { $0.figures.heads }
        text.begin(.upstreamFirstByte)
        for upstream in upstreams {
            text.add(
                ["route": upstream.route, "upstream": upstream.name], seconds: upstream.figures.waited.inSeconds)
        }
    }

    private mutating func addSharing() {
        add(.sharedPulls) { $0.running.pulls }
        add(.sharedReaders) { $0.running.readers }
        add(.sharedBytes) { $0.running.retainedBytes }
        add(.sharedLag) { $0.running.lag }
        add(.sharedGaps) { $0.gaps }
        add(.sharingRefusals, by: "cause", \.sharingRefusals, SharingRefusal.allCases.map { ($0, $0.rawValue) })
    }

    private mutating func addBreakers() {
        text.begin(.breakerState)
        for (name, breakers) in routes {
            let upstreams = breakers.flatMap(\.upstreams)
            for state in CircuitBreaker.State.allCases where !upstreams.isEmpty {
                text.add(
                    ["route": name, "kind": "upstream", "state": state.rawValue], upstreams.count { $0 == state })
            }
            let clients = breakers.compactMap(\.clients)
            guard !clients.isEmpty else { continue }
            for (state, count) in [
                (CircuitBreaker.State.open, clients.reduce(0) { $0 + $1.open }),
                (.halfOpen, clients.reduce(0) { $0 + $1.halfOpen }),
            ] {
                text.add(["route": name, "kind": "client", "state": state.rawValue], count)
            }
        }
        text.begin(.upstreamUp)
        for (name, breakers) in routes {
            for (upstream, isUp) in breakers.flatMap(\.checked) {
                text.add(["route": name, "upstream": upstream], isUp ? 1 : 0)
            }
        }
        text.begin(.breakerTrips)
        for (name, breakers) in routes {
            text.add(["route": name, "kind": "client"], breakers.reduce(0) { $0 + $1.clientTrips })
            text.add(["route": name, "kind": "upstream"], breakers.reduce(0) { $0 + $1.upstreamTrips })
        }
    }

    private mutating func addReplicas() {
        let replicas = process.replicas
        for (family, value) in [
            (.replicas, replicas?.replicas), (.redisUp, replicas.map { $0.isUp ? 1 : 0 }),
            (.redisSubscribed, replicas.map { $0.isSubscribed ? 1 : 0 }), (.redisCommands, replicas?.commands),
            (.redisLosses, replicas?.losses), (.redisCreditRecords, replicas?.creditedRecords),
        ] as [(MetricFamily, Int?)] {
            text.begin(family)
            if let value { text.add([:], value) }
        }
        text.begin(.redisFailures)
        for cause in StoreFailure.allCases {
            if let replicas { text.add(["cause": cause.rawValue], replicas.failures[cause]) }
        }
    }

    private mutating func addProcess() {
        text.begin(.clientConnections)
        text.add([:], process.clientConnections)
        text.begin(.certificateExpiry)
        for certificate in process.certificates { text.add(["certificate": certificate.file], certificate.time) }
        text.begin(.connectionsRejected)
        text.add(["limit": "max_connections"], process.rejectedConnections.maximum)
        text.add(["limit": "connections_per_address"], process.rejectedConnections.perAddress)
        text.begin(.eventLoopLag)
        text.add([:], figures.lag)
        text.begin(.logLinesLost)
        text.add([:], process.accessLogLinesLost)
        text.begin(.processLogLinesLost)
        text.add([:], process.processLogLinesLost)
        text.begin(.configGeneration)
        text.add([:], process.generation)
        text.begin(.configReloadSuccessful)
        text.add([:], process.reloads.isRefused ? 0 : 1)
        text.begin(.configTaken)
        text.add([:], seconds: Double(process.reloads.taken.millisecondsSince1970) / 1000)
        text.begin(.olderStreams)
        text.add([:], figures.older.count)
        text.begin(.oldestStream)
        text.add([:], seconds: figures.older.oldest.inSeconds)
        text.begin(.processStart)
        text.add([:], seconds: Double(process.build.start.millisecondsSince1970) / 1000)
        addUsage()
        text.begin(.build)
        text.add(["version": process.build.version, "libcurl": process.build.libcurl], 1)
    }

    /// The standard metrics of a process, by the names that Prometheus's own clients use.
    private mutating func addUsage() {
        text.begin(.processCPU)
        text.add([:], seconds: usage.cpuSeconds)
        for (family, value) in [
            (.processResident, usage.residentBytes), (.processVirtual, usage.virtualBytes),
            (.processDescriptors, usage.openDescriptors), (.processMaximumDescriptors, usage.maximumDescriptors),
        ] as [(MetricFamily, Int)] {
            text.begin(family)
            text.add([:], value)
        }
    }

    private mutating func addTelemetry() {
        text.begin(.otlpExports)
        for signal in TelemetryFigures.Signal.allCases {
            for result in TelemetryFigures.Result.allCases {
                guard let telemetry = process.telemetry else { continue }
                text.add(
                    ["signal": signal.rawValue, "result": result.rawValue], telemetry.exports(of: signal)[result])
            }
        }
        text.begin(.otlpSpans)
        for result in TelemetryFigures.SpanResult.allCases {
            if let telemetry = process.telemetry { text.add(["result": result.rawValue], telemetry.spans[result]) }
        }
        text.begin(.otlpDataPointsRejected)
        if let telemetry = process.telemetry { text.add([:], telemetry.rejectedDataPoints) }
    }

    // MARK: Rows

    private var tallies: [(String, Tally)] { routes.map { ($0.name, figures.routes[$0.name] ?? Tally()) } }

    /// The same, and last that of requests without a route.
    private var talliesWithUnrouted: [(String, Tally)] {
        tallies + [(LoopFigures.unrouted, figures.routes[LoopFigures.unrouted] ?? Tally())]
    }

    /// One histogram for each route.
    private mutating func addTimes(_ family: MetricFamily, _ times: (RouteTimes) -> Histogram) {
        text.begin(family)
        for (name, tally) in tallies { text.add(["route": name], times(tally.times)) }
    }

    /// One sample for each route.
    private mutating func add(_ family: MetricFamily, _ value: (Tally) -> Int) {
        text.begin(family)
        for (name, tally) in tallies { text.add(["route": name], value(tally)) }
    }

    /// One sample for each upstream.
    private mutating func add(_ family: MetricFamily, _ value: (UpstreamReport) -> Int) {
        text.begin(family)
        for upstream in upstreams { text.add(["route": upstream.route, "upstream": upstream.name], value(upstream)) }
    }

    /// One sample for each route and case.
    private mutating func add<Case>(
        _ family: MetricFamily, by label: String, _ counts: (Tally) -> CaseCounts<Case>, _ cases: [(Case, String)]
    ) {
        text.begin(family)
        for (name, tally) in tallies {
            for (key, value) in cases { text.add(["route": name, label: value], counts(tally)[key]) }
        }
    }
}
