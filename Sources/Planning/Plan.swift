package import Flow

/// What a load needs of weir, and which of its limits it reaches.
package struct Plan: Equatable, Sendable {
    /// A figure over the time of the plan.
    package struct Figure: Equatable, Sendable {
        package var peak = 0.0
        package var mean = 0.0
        /// At the end of the plan.
        package var last = 0.0

        init(_ values: [Double]) {
            peak = values.max() ?? 0
            mean = values.reduce(0, +) / Double(max(1, values.count))
            last = values.last ?? 0
        }
    }

    /// A limit that the load reaches.
    package struct Reached: Equatable, Sendable {
        /// The key of the configuration.
        package let limit: String
        /// After the begin of the first client.
        package let after: Duration
        /// Streams, or clients, that it concerns.
        package var count: Int
        package let effect: Effect

        /// In the order of their weight: those that end or reject a stream come first at the same time.
        package enum Effect: String, Equatable, Sendable, CaseIterable {
            case rejects, ends, drops, slows
        }

        /// Whether a client loses something.
        package var isFailure: Bool { effect != .slows }
    }

    package let terms: Terms
    package let openStreams: Figure
    /// Bytes.
    package let memory: Figure
    package let buffered: Figure
    /// Of one core; the peak is that of a second.
    package let cpu: Figure
    /// Per second.
    package let records: Figure
    package let bytes: Figure
    /// Sockets to clients and to upstreams.
    package let descriptors: Int
    package let admitted: Int
    package let rejected: Int
    /// In the order of time.
    package let reached: [Reached]

    /// The first limit that rejects or ends a stream, or drops records; `nil` if there is none.
    package var first: Reached? { reached.first { $0.isFailure } }

    /// Computes a plan.
    ///
    /// - Parameters:
    ///   - load: What the clients do.
    ///   - route: Where.
    ///   - costs: Of the work.
    /// - Returns: The plan.
    /// - Throws: Why there is none.
    /// - Complexity: O(records of one client + streams of all), a second or so for usual loads.
    package static func of(
        _ load: Load, on route: PlannedRoute, costs: UnitCosts = .measured
    ) throws(PlanError) -> Plan {
        let terms: Terms
        do throws(NegotiationError) { terms = try route.terms(for: load) } catch { throw .refusedTerms(error) }
        var fleet = Fleet(load, on: route)
        try fleet.run(terms)
        return Plan(fleet, terms: terms, costs: costs)
    }

    private init(_ fleet: Fleet, terms: Terms, costs: UnitCosts) {
        let grid = fleet.grid, seconds = Double(grid.length) / 1e9
        let levels = fleet.totals
        /// The values per second, over steps together that are at least a second long.
        func rates(_ value: (Work) -> Double, extra: [Double]? = nil) -> [Double] {
            let width = max(1, Int((1 / seconds).rounded(.up)))
            return stride(from: 0, to: grid.count, by: width).map { begin in
                let end = min(grid.count, begin + width)
                let before = begin == 0 ? 0 : value(levels[begin - 1])
                let added = extra.map { $0[begin..<end].reduce(0, +) } ?? 0
                return (value(levels[end - 1]) - before + added) / (Double(end - begin) * seconds)
            }
        }
        let once = (0..<grid.count).map {
            costs.start * Double(fleet.starts[$0]) + costs.rejection * Double(fleet.rejections[$0])
        }
        let cpu = Figure(rates({ costs.microseconds(of: $0) }, extra: once).map { $0 / 1e6 })
        self.terms = terms
        openStreams = Figure(levels.map { Double($0.openStreams) })
        buffered = Figure(levels.map { Double($0.buffered) })
        memory = Figure(levels.map { costs.memory(of: $0) })
        self.cpu = cpu
        records = Figure(rates { Double($0.records) })
        bytes = Figure(rates { Double($0.bytes) })
        descriptors = 2 * Int(openStreams.peak)
        (admitted, rejected) = (fleet.starts.reduce(0, +), fleet.rejections.reduce(0, +))
        var reached = fleet.reached
        if cpu.peak > Double(fleet.route.workers) {
            let busy = rates({ costs.microseconds(of: $0) }, extra: once).map { $0 / 1e6 }
            let index = busy.firstIndex { $0 > Double(fleet.route.workers) } ?? 0
            let step = fleet.load.duration / Double(max(1, busy.count)) * Double(index)
            reached.append(
                Reached(limit: "workers", after: step, count: Int(openStreams.peak), effect: .slows))
        }
        self.reached = reached.sorted { ($0.after, $0.effect.order, $0.limit) < ($1.after, $1.effect.order, $1.limit) }
    }
}

extension Plan.Reached.Effect {
    fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension UnitCosts {
    fileprivate func microseconds(of work: Work) -> Double {
        read * Double(work.reads) + write * Double(work.writes) + timer * Double(work.timers)
            + record * Double(work.records) + kibibyte * Double(work.bytes) / 1024
    }

    fileprivate func memory(of work: Work) -> Double {
        let streams = stream * Double(work.openStreams) + pausedStream * Double(work.pausedStreams)
        return process + streams + Double(work.allocated)
    }
}
