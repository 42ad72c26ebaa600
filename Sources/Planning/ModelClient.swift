import Flow
import Settings

/// One client of a load in virtual time: all of its streams, with its own limits and budget.
///
/// All clients of a kind do the same, only later; so one is computed, and the others are copies of it.
final class ModelClient {
    /// What became of one of its streams.
    struct Fate {
        /// Why it was rejected; `nil` if it was admitted.
        var rejection: AdmissionError?
        /// When it ended, after the client's beginning, and how; `nil` if it is still open at the end of the plan.
        var end: (at: Duration, Outcome)?
        /// At the end of each step: counts since the beginning, and the present sizes.
        var steps: [Work] = []
        var marks: [ModelStream.Mark: Duration] = [:]
    }

    private var queue = EventQueue<(stream: Int, event: ModelStream.Event)>()
    private var gate: GateState
    private var grants: [AdmissionGrant?] = []
    private var streams: [ModelStream?] = []
    private(set) var fates: [Fate]
    private let key = ClientKey("client")

    private init(_ route: PlannedRoute, streams: Int) {
        gate = GateState(rules: GateRules(route.route), upstreams: route.route.upstreams.map(\.text))
        fates = Array(repeating: Fate(), count: streams)
    }

    /// Computes a client.
    ///
    /// - Parameters:
    ///   - load: What it does.
    ///   - isSlow: Whether it reads slowly.
    ///   - route: The route.
    ///   - terms: What its streams are granted.
    ///   - grid: The steps after its beginning for which it is computed.
    /// - Returns: The fates of its streams.
    /// - Throws: `tooManyEvents` beyond ``mostEvents``.
    static func fates(
        of load: Load, isSlow: Bool, on route: PlannedRoute, terms: Terms, grid: Grid
    ) throws(PlanError) -> [Fate] {
        let client = ModelClient(route, streams: load.streamsPerClient)
        client.open(load, isSlow: isSlow, on: route, terms: terms)
        try client.run(over: grid)
        return client.fates
    }

    private static var start: Instant { Instant(nanoseconds: 1_000_000_000) }

    private func open(_ load: Load, isSlow: Bool, on route: PlannedRoute, terms: Terms) {
        let sharesBudget = route.route.streams(of: load.tier).clientRecords != nil
        for index in fates.indices {
            do throws(AdmissionError) {
                grants.append(try gate.admit(key, tier: load.tier, at: Self.start))
            } catch {
                fates[index].rejection = error
                grants.append(nil)
                streams.append(nil)
                continue
            }
            streams.append(
                ModelStream(
                    load, isSlow: isSlow, terms: terms, route: route, sharesBudget: sharesBudget, at: Self.start,
                    draw: { [unowned self] records, now in
                        guard var grant = self.grants[index] else { return nil }
                        let lease = self.gate.draw(&grant, upTo: records, at: now)
                        self.grants[index] = grant
                        return lease
                    },
                    schedule: { [unowned self] event, time in
                        guard time < .distantFuture else { return }
                        self.queue.add((index, event), at: time.nanoseconds)
                    }))
        }
    }

    /// Above any plan that makes sense; a plan of this size takes some seconds.
    private static let mostEvents = 30_000_000

    private func run(over grid: Grid) throws(PlanError) {
        var step = 0, events = 0
        func sample(until time: Int64) {
            while step < grid.count, Self.start.nanoseconds + grid.end(of: step) < time {
                for (index, stream) in streams.enumerated() {
                    fates[index].steps.append(stream.map { $0.work.with(level: $0.level) } ?? Work())
                }
                step += 1
            }
        }
        while let (time, next) = queue.removeFirst() {
            sample(until: time)
            guard step < grid.count else { break }
            events += 1
            guard events < Self.mostEvents else { throw .tooManyEvents }
            let now = Instant(nanoseconds: time)
            guard let stream = streams[next.stream], stream.isOpen else { continue }
            stream.handle(next.event, at: now)
            guard let outcome = stream.outcome else { continue }
            fates[next.stream].end = (now - Self.start, outcome)
            if let grant = grants[next.stream] { gate.release(grant, at: now) }
            grants[next.stream] = nil
        }
        sample(until: .max)
        for (index, stream) in streams.enumerated() {
            fates[index].marks = (stream?.marks ?? [:]).mapValues { $0 - Self.start }
        }
    }
}

extension Work {
    fileprivate func with(level: Work) -> Work {
        var work = self
        (work.buffered, work.allocated) = (level.buffered, level.allocated)
        (work.openStreams, work.pausedStreams) = (level.openStreams, level.pausedStreams)
        return work
    }
}
