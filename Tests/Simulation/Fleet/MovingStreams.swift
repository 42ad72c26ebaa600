import Flow
import Planning
import TestSupport

/// One client whose streams move between replicas, in virtual time: what it gets of its rate.
///
/// Each stream always has records. Nothing fails: a command and its reply take a millisecond each.
package struct MovingStreams {
    private enum Event {
        case draw(stream: Int, stay: Int)
        case move, begin
        case wake(replica: Int)
        case atStore(replica: Int, StoreCommand)
        case atReplica(replica: Int, StoreCommand, StoreReply)
    }

    private struct Stream {
        var replica: Int
        /// The number of its moves.
        var stay = 0
        var round: Int64?
        /// Records that it sends at its next draw.
        var leased = 0
    }

    package struct Result: Sendable {
        /// The records that the client got, as a part of its rate in the measured time.
        package let part: Double
        /// Whether it got more than its rate and the records of a second in any time.
        package let isAboveRate: Bool
    }

    private static let warmUp: Int64 = 3_000_000_000, measured: Int64 = 60_000_000_000, delay: Int64 = 1_000_000

    private let rate: SharedRate
    private let limit: Int64
    /// The mean time between two moves, in nanoseconds.
    private let pause: Double
    private var random: SeededGenerator
    private var queue = EventQueue<Event>()
    private var store = StoreModel()
    private var replicas: [SharedLimits]
    private var wakes: [Int64]
    private var streams: [Stream]
    private var total = DrawTotal(clients: 1)
    private var records = 0
    private var isAboveRate = false
    private var now: Int64 = 0

    /// Runs for a minute.
    ///
    /// - Parameters:
    ///   - perSecond: The client's rate, in records per second.
    ///   - every: The time between two moves of each of its three streams.
    ///   - seed: Determines when a stream moves, and where to.
    /// - Returns: What the client got at three replicas.
    package static func run(perSecond: Int, every: Duration, seed: Int) -> Result {
        var run = MovingStreams(perSecond: perSecond, every: every, seed: seed)
        run.run()
        let seconds = Double(measured) / 1e9
        return Result(part: Double(run.records) / (seconds * Double(perSecond)), isAboveRate: run.isAboveRate)
    }

    private init(perSecond: Int, every: Duration, seed: Int) {
        guard let rate = Rate(perSecond, per: .second) else { preconditionFailure("a client has a rate") }
        let key = StoreKey(.shares, route: "/", client: ClientKey("client"))
        (self.rate, limit) = (SharedRate(key: key, rate: rate), Int64(perSecond) * 1_000_000)
        random = SeededGenerator(seed: seed)
        streams = (0..<3).map { Stream(replica: $0) }
        pause = Double(every.nanoseconds) / Double(streams.count)
        replicas = Array(repeating: SharedLimits(at: Instant(nanoseconds: 0)), count: 3)
        wakes = Array(repeating: .max, count: 3)
        // A store that has had its data for a minute.
        _ = store.run(
            StoreCommand(.repeatOpenings, sequence: 0, replicas: 1), of: "", at: Self.storeTime(at: -60_000_000_000))
    }

    private static func storeTime(at now: Int64) -> Int64 { 1_700_000_000_000_000 + now / 1000 }

    private var time: Instant { Instant(nanoseconds: now) }

    private mutating func run() {
        total.begin(at: 0)
        for stream in streams.indices { start(stream) }
        queue.add(.begin, at: Self.warmUp)
        while let (time, event) = queue.removeFirst(), time <= Self.warmUp + Self.measured {
            now = time
            handle(event)
        }
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .begin:
            records = 0
            move()
        case .move: move()
        case .draw(let stream, let stay): if streams[stream].stay == stay { draw(stream) }
        case .wake(let replica):
            guard wakes[replica] == now else { return }
            wakes[replica] = .max
            for command in replicas[replica].takeCommands(at: time) {
                queue.add(.atStore(replica: replica, command), at: now + Self.delay)
            }
            plan(replica)
        case .atStore(let replica, let command):
            let integers = store.run(command, of: "\(replica)", at: Self.storeTime(at: now))
            guard let reply = try? StoreReply(integers, to: command) else { preconditionFailure("a malformed reply") }
            queue.add(.atReplica(replica: replica, command, reply), at: now + Self.delay)
        case .atReplica(let replica, let command, let reply):
            _ = replicas[replica].answered(command, reply, jitter: 0, at: time)
            plan(replica)
        }
    }

    private mutating func plan(_ replica: Int) {
        guard let deadline = replicas[replica].deadline else { return }
        let moment = max(now + 1000, deadline.nanoseconds)
        guard moment < wakes[replica] else { return }
        wakes[replica] = moment
        queue.add(.wake(replica: replica), at: moment)
    }

    // MARK: Streams

    private mutating func start(_ stream: Int) {
        replicas[streams[stream].replica].opened(rate, at: time)
        queue.add(.draw(stream: stream, stay: streams[stream].stay), at: now + Self.delay)
        plan(streams[stream].replica)
    }

    /// Any stream ends, and begins again at any replica.
    private mutating func move() {
        queue.add(.move, at: now + Int64(Double.random(in: 0...2, using: &random) * pause))
        let stream = Int.random(in: streams.indices, using: &random)
        let replica = streams[stream].replica
        replicas[replica].giveBack(streams[stream].leased, of: rate.key)
        replicas[replica].closed(rate.key)
        plan(replica)
        streams[stream] = Stream(
            replica: Int.random(in: replicas.indices, using: &random), stay: streams[stream].stay + 1)
        start(stream)
    }

    /// Sends the last lease, and draws the next one.
    private mutating func draw(_ stream: Int) {
        let sent = streams[stream].leased, replica = streams[stream].replica
        records += sent
        if total.drew(sent, of: 0, limit: limit, replicas: replicas.count, at: now) != nil { isAboveRate = true }
        var round = streams[stream].round
        let draw = replicas[replica].draw(rate, upTo: 1000, after: &round, at: time)
        streams[stream].round = round
        if case .lease(let records, _) = draw { streams[stream].leased = records } else { streams[stream].leased = 0 }
        queue.add(.draw(stream: stream, stay: streams[stream].stay), at: max(now, draw.time.nanoseconds))
        plan(replica)
    }
}
