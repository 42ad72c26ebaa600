import ArgumentParser
import Flow
import Planning
import Settings

/// The load of `weir plan`.
struct LoadOptions: ParsableArguments {
    @Option(help: .init("The number of clients.", valueName: "count"))
    var clients: Int

    @Option(
        help: .init("The records that the upstream has for a stream, such as 20/second.", valueName: "rate"),
        transform: Self.rate)
    var rate: Rate

    @Option(help: .init("Open streams of each client.", valueName: "count"))
    var streams = 1

    @Option(
        help: .init("The size of a record; by default 256 bytes.", valueName: "size"), transform: Self.size)
    var recordSize: ByteCount?

    @Option(
        help: .init("The time from the first client to the end, such as 10m; by default 60s.", valueName: "duration"),
        transform: Self.duration)
    var duration: Duration?

    @Option(
        help: .init(
            "The rate at which clients begin, such as 50/second; by default all within a second.", valueName: "rate"),
        transform: Self.rate)
    var starts: Rate?

    @Option(
        help: .init("The part of the clients that is slow, such as 10%; by default none.", valueName: "percent"),
        transform: Self.part)
    var slow: Double?

    @Option(
        help: .init(
            "The records that a slow client reads, such as 1/second; by default 0: it does not read.", valueName: "rate"
        ),
        transform: { try $0 == "0" ? 0 : Self.rate($0).perSecond })
    var slowRate: Double?

    @Option(
        help: .init("What the sockets between weir and a slow client hold; by default 128KiB.", valueName: "size"),
        transform: Self.size)
    var sockets: ByteCount?

    @Option(
        help: .init("The X-Stream-Rate-Limit of the clients; by default none.", valueName: "rate"), transform: Self.rate
    )
    var request: Rate?

    @Option(help: .init("The route, by its name in logs; required if there are several.", valueName: "route"))
    var route: String?

    @Option(help: .init("The tier of the clients.", valueName: "tier"))
    var tier: String?

    func validate() throws {
        try Self.check("--clients", clients, 1...Load.mostStreams)
        try Self.check("--streams", streams, 1...Load.mostStreamsPerClient)
        guard clients * streams <= Load.mostStreams else {
            throw ValidationError("--clients times --streams must be at most \(Load.mostStreams)")
        }
        guard rate.perSecond <= Load.mostRecordsPerSecond else {
            throw ValidationError("--rate must be at most 10000000/second")
        }
        if let recordSize, !(ByteCount(2) ... .mebibytes(16)).contains(recordSize) {
            throw ValidationError("--record-size must be from 2 to 16MiB")
        }
        if let duration, !(Duration.seconds(1)...Load.longest).contains(duration) {
            throw ValidationError("--duration must be from 1s to 24h")
        }
    }

    private static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard !range.contains(value) else { return }
        throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }

    /// The route of the load.
    func route(of configuration: Configuration) throws -> Route {
        let names = configuration.routes.map(\.label)
        guard let route else {
            guard names.count == 1 else {
                throw ValidationError("--route is missing; the routes are \(names.joined(separator: ", "))")
            }
            return configuration.routes[0]
        }
        guard let found = configuration.routes.first(where: { $0.label == route }) else {
            throw ValidationError("there is no route \(route); the routes are \(names.joined(separator: ", "))")
        }
        guard found.framing != .none else { throw ValidationError("the route \(route) has no streams (framing: none)") }
        return found
    }

    func load(on route: Route) throws -> Load {
        if let tier, route.tiers[tier] == nil {
            let names = route.tiers.keys.sorted().joined(separator: ", ")
            throw ValidationError("the route has no tier \(tier)\(names.isEmpty ? "" : "; its tiers are \(names)")")
        }
        var load = Load(clients: clients, rate: rate.perSecond)
        load.streamsPerClient = streams
        if let recordSize { load.record = recordSize }
        if let duration { load.duration = duration }
        if let sockets { load.sockets = sockets }
        if let starts { load.arrivals = starts.perSecond }
        (load.slowPart, load.slowRate) = (slow ?? 0, slowRate ?? 0)
        (load.requested, load.tier) = (request, tier)
        return load
    }
}

extension LoadOptions {
    private static func rate(_ text: String) throws -> Rate {
        guard let rate = Rate(text) else { throw ValidationError("allowed: a rate such as 20/second") }
        return rate
    }

    private static func size(_ text: String) throws -> ByteCount {
        guard let size = ByteCount(text: text) else { throw ValidationError("allowed: a size such as 1KiB") }
        return size
    }

    private static func duration(_ text: String) throws -> Duration {
        guard let duration = Duration(text: text) else { throw ValidationError("allowed: a duration such as 10m") }
        return duration
    }

    private static func part(_ text: String) throws -> Double {
        guard text.last == "%", let percent = Double(text.dropLast()), (0...100).contains(percent) else {
            throw ValidationError("allowed: a percentage such as 10%")
        }
        return percent / 100
    }
}

extension Rate {
    fileprivate var perSecond: Double { 1e9 / Double(spacing) }
}
