import Flow
import Planning
import TestSupport

/// A fleet in virtual time: the real machines of several replicas, a model of the store, and a network between them
/// that delays, loses and reorders.
///
/// One run has three phases: disturbances; then everything is healed, and clients want as much as they can get; then all
/// streams end. Everything is determined by the seed.
package struct Simulation {
    enum Event {
        case start(client: Int)
        case end(replica: Int, process: Int, stream: Int)
        case draw(client: Int)
        case trip(client: Int)
        case subscribed(replica: Int, process: Int, subscription: Int)
        case message(replica: Int, process: Int, subscription: Int, BreakerNotice)
        case atStore(replica: Int, process: Int, connection: Int, StoreCommand)
        case atReplica(replica: Int, process: Int, connection: Int, StoreCommand, [Int64]?)
        case deadline(replica: Int, process: Int, StoreCommand, sentAt: Int64)
        case wake(replica: Int, process: Int)
        case disturb
        case restart(replica: Int)
        case heal(Disturbance)
        case checkOpening(Opening)
        case healAll, checkProgress, beginTotal, endTotal, stop, checkEnd
    }

    /// A breaker that a replica has opened.
    struct Opening {
        let key: BreakerKey
        let replica: Int
        let process: Int
        let end: Int64
    }

    enum Disturbance: Equatable {
        case partition(replica: Int)
        case slowNetwork
        /// Refuses connections; `loses`: and starts again without its data.
        case storeDown(loses: Bool)
        /// Executes nothing, and everything afterwards, as a stopped process.
        case storeStopped
    }

    /// What a run has found out.
    package struct Result: Sendable {
        package var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        package var events = 0
        package var starts = 0
        package var violation: Violation?

        /// Adds a word to the hash (FNV-1a, in words).
        mutating func add(_ word: UInt64) { hash = (hash ^ word) &* 0x0000_0100_0000_01b3 }
    }

    static let patience: Int64 = 25_000_000
    private static let healing: Int64 = 9_000_000_000
    /// After everything is healed a replica returns within 5 s, its counts are complete 15 s later, and it gets the next one
    /// within 5 s.
    private static let ending: Int64 = 17_000_000_000

    let seed: Int
    let fault: Fault?
    let scenario: Scenario
    var random: SeededGenerator
    var queue = EventQueue<Event>()
    var store: StoreModel
    var ledger: Ledger
    var credits = CreditLedger()
    /// A replica is `nil` while its process does not run.
    var replicas: [Replica?]
    /// The number of processes that each replica has had.
    var processes: [Int]
    var disturbances: [Disturbance] = []
    /// Arrived while the store was stopped.
    var stopped: [Event] = []
    var now: Int64 = 0
    var lastStream = 0
    /// The last opening of each client.
    var openings: [Int: Opening] = [:]
    var isActive = true
    var isDisturbed = true
    var result = Result()
    var checks: Checks

    /// The result of the run of a seed.
    package static func run(seed: Int, fault: Fault? = nil) -> Result {
        var simulation = Simulation(seed: seed, fault: fault)
        simulation.run()
        return simulation.result
    }

    private init(seed: Int, fault: Fault?) {
        (self.seed, self.fault) = (seed, fault)
        random = SeededGenerator(seed: seed)
        scenario = Scenario(using: &random)
        store = StoreModel(fault: fault)
        ledger = Ledger(scenario.allowance)
        checks = Checks(scenario)
        replicas = Array(repeating: nil, count: scenario.replicas)
        processes = Array(repeating: 0, count: scenario.replicas)
    }

    private mutating func run() {
        for replica in 0..<scenario.replicas { startProcess(replica) }
        for client in 0..<scenario.clients {
            queue.add(.start(client: client), at: pause(scenario.startPause))
            queue.add(.draw(client: client), at: pause(1.6e8))
            queue.add(.trip(client: client), at: pause(4e9))
        }
        queue.add(.disturb, at: pause(scenario.disturbancePause))
        queue.add(.healAll, at: Int64.random(in: 5_000_000_000...20_000_000_000, using: &random))
        do throws(Violation) {
            while let (time, event) = queue.removeFirst() {
                now = time
                result.events += 1
                try handle(event)
            }
        } catch {
            result.violation = error
        }
    }

    private mutating func handle(_ event: Event) throws(Violation) {
        switch event {
        case .start(let client): try start(client)
        case .end(let replica, let process, let stream): end(replica, process, stream)
        case .draw(let client): try draw(client)
        case .trip(let client): trip(client)
        case .subscribed(let replica, let process, let subscription): subscribed(replica, process, subscription)
        case .message(let replica, let process, let subscription, let notice):
            received(notice, replica, process, subscription)
        case .checkOpening(let opening): try checkOpening(opening)
        case .atStore(let replica, let process, let connection, let command):
            try atStore(event, replica, process, connection, command)
        case .atReplica(let replica, let process, let connection, let command, let integers):
            try atReplica(replica, process, connection, command, integers)
        case .deadline(let replica, let process, let command, let sentAt):
            try deadline(replica, process, command, sentAt)
        case .wake(let replica, let process): wake(replica, process)
        case .disturb: disturb()
        case .restart(let replica): if replicas[replica] == nil { startProcess(replica) }
        case .heal(let disturbance): try heal(disturbance)
        case .healAll: try healAll()
        case .beginTotal: try beginTotal()
        case .endTotal: try endTotal()
        case .checkProgress: try checkProgress()
        case .stop: stop()
        case .checkEnd: try checkEnd()
        }
    }

    // MARK: Phases

    private mutating func healAll() throws(Violation) {
        isDisturbed = false
        for disturbance in disturbances { try heal(disturbance) }
        for replica in replicas.indices where replicas[replica] == nil { startProcess(replica) }
        queue.add(.checkProgress, at: now + Self.healing)
    }

    private mutating func checkProgress() throws(Violation) {
        try require(checks.progress(replicas, at: now))
        queue.add(.beginTotal, at: now)
    }

    /// Everything has been well for some time.
    private mutating func beginTotal() throws(Violation) {
        checks.total.begin(at: now)
        try checkKnownOpenings()
        for client in 0..<scenario.clients { open(checks.lateBreakers[client], for: 3_000_000_000) }
        queue.add(.endTotal, at: now + DrawTotal.time)
    }

    private mutating func endTotal() throws(Violation) {
        try require(checks.total.check(limit: scenario.recordLimit, at: now))
        queue.add(.stop, at: now)
    }

    private mutating func stop() {
        isActive = false
        for index in replicas.indices {
            for stream in (replicas[index]?.streams ?? [:]).keys.sorted() { end(index, processes[index], stream) }
            for client in 0..<scenario.clients { endDrawing(client, index) }
        }
        queue.add(.checkEnd, at: now + Self.ending)
    }

    private mutating func checkEnd() throws(Violation) {
        let isHeld = replicas.contains { $0.map { !$0.starts.isEmpty } ?? true }
        if isHeld { try require("a start has no verdict") }
        try require(checks.end(replicas, counted: store.countedKeys(at: storeTime(of: nil))))
        queue = EventQueue()
    }

    // MARK: Tools

    func require(_ fault: String?) throws(Violation) {
        if let fault { throw Violation(seed: seed, time: now, text: fault) }
    }

    /// A random time with this mean, at least a microsecond, in nanoseconds from now on.
    mutating func pause(_ mean: Double) -> Int64 {
        now + max(1000, Int64(Double.random(in: 0...2, using: &random) * mean))
    }

    /// The clock of the store, in microseconds; its own, except with the fault that uses that of a replica.
    func storeTime(of replica: Replica?) -> Int64 {
        if fault == .clockOfReplica, let replica {
            return 1_700_000_000_000_000 + replica.time(at: now).nanoseconds / 1000
        }
        return 1_700_000_000_000_000 + now / 1000
    }

    /// Adds what has happened to the hash of the run.
    @inline(__always)  // so that no array is made
    mutating func trace(_ kind: UInt64, _ values: Int64...) {
        result.add(kind)
        result.add(UInt64(bitPattern: now))
        for value in values { result.add(UInt64(bitPattern: value)) }
    }

    static func name(_ replica: Int, _ process: Int) -> String { "\(replica)-\(process)" }

    private mutating func startProcess(_ index: Int) {
        processes[index] += 1
        trace(1, Int64(index))
        replicas[index] = Replica(
            name: Self.name(index, processes[index]), offset: Int64.random(in: 0...3_600_000_000_000, using: &random),
            speed: Double.random(in: 0.998...1.002, using: &random), clients: scenario.clients, at: now)
        subscribe(index)
        plan(index)
    }
}
