import Flow

/// One process of an instance of the fleet: the real machines, with what the test knows about it.
///
/// A class: a copy of the machines, with all their tables, would be made at each change of one.
final class Replica {
    struct Stream {
        let client: Int
        let limits: [SharedLimit]
        /// Whether it was admitted by a part of the limit, so that the sum may be above the limit by it.
        var isExtra: Bool
    }

    struct Drawer {
        /// Of the last draw.
        var round: Int64?
    }

    /// What the test knows and the replica does not.
    struct Observed {
        /// A store's count of the replicas, for one of them.
        struct Report {
            let sequence: Int64
            /// The names of the processes that were counted.
            let names: [String]
            /// Those that it has to count at least: it knew them, and they run and have registered in time.
            let fewest: Int
        }

        /// The replicas that it counts since the last report; 1 before.
        var counted = 1
        /// The names of the processes of which this number is the count.
        private(set) var known: [String] = []
        /// The report that the store has made last.
        private var report: Report?
        /// Its own last registration at the store, whatever has become of the store's data since.
        private var registration: (sequence: Int64, at: Int64)?
        /// Since when the replica does not use the store; `nil` while it does.
        var notUsedSince: Int64?
        /// When the store has got the count of a key last.
        var writtenAt: [StoreKey: Int64] = [:]
        /// Starts that the store has admitted and whose verdicts are not used yet, by the sequences of their commands;
        /// whether only by a part of the limits.
        var granted: [Int64: Bool] = [:]

        /// The replica may have begun or ceased to use the store.
        mutating func noted(_ health: StoreHealth, at now: Int64) {
            notUsedSince = health.isUp ? nil : notUsedSince ?? now
        }

        /// The store has counted the replicas, perhaps for a command that has come late.
        mutating func willBeReported(_ report: Report) {
            if report.sequence > self.report?.sequence ?? .min { self.report = report }
        }

        /// The report has arrived there; `nil` for other commands.
        mutating func takeReport(of sequence: Int64) -> Report? {
            report?.sequence == sequence ? report.take() : nil
        }

        /// The replica counts that many after a report.
        mutating func counts(_ count: Int, after report: Report) {
            counted = count
            if count == report.names.count { known = report.names }
        }

        /// Whether the store has its registration for certain, unless its data was lost.
        func isRegistered(at now: Int64) -> Bool {
            registration.map { now - $0.at < Checks.certain } ?? false
        }

        /// The store has executed a command of the replica.
        mutating func written(_ command: StoreCommand, _ integers: [Int64], at now: Int64) {
            switch command.content {
            case .start(let limits, _) where integers[2] == 1:
                for case .streams(let key, _) in limits { writtenAt[key] = now }
            case .counts(let counts):
                for count in counts { writtenAt[count.key] = now }
                if command.isHeartbeat, command.sequence > registration?.sequence ?? .min {
                    registration = (command.sequence, now)
                }
            case .start, .refund, .shares, .open, .repeatOpenings: break
            }
        }
    }

    /// A process of its own: the name that the store knows.
    let name: String
    /// The clock: its time is `offset + elapsed * speed`.
    let offset: Int64
    let speed: Double
    var limits: SharedLimits
    var streams: [Int: Stream] = [:]
    /// Streams that draw records, at most one of each client; `nil` for a client without one.
    var drawers: [Drawer?]
    var drawn: DrawLedger
    /// Starts that wait for the store, by the sequence of their commands, with the client.
    var starts: [Int64: Int] = [:]
    /// Commands that are under way, by their sequences.
    var commands: Set<Int64> = []
    /// Changes when the connection ends: answers over an older one are lost.
    var connection = 0
    /// The arrival of the last message in each direction: a connection keeps the order.
    var lastSent: Int64 = 0
    var lastReceived: Int64 = 0
    /// The time of the wake-up that is planned; earlier ones replace it.
    var wakeAt = Int64.max
    /// The share that it had before the last cut, for the planted faults.
    var largestHeld: [StoreKey: Int64] = [:]
    var isPartitioned = false
    /// Whether messages of the channel arrive; each subscription has a number.
    var isSubscribed = false
    var subscription = 0
    var lastMessage: Int64 = 0
    var observed = Observed()

    init(name: String, offset: Int64, speed: Double, clients: Int, at now: Int64) {
        (self.name, self.offset, self.speed) = (name, offset, speed)
        (drawers, drawn) = (Array(repeating: nil, count: clients), DrawLedger(clients: clients))
        limits = SharedLimits(at: Instant(nanoseconds: offset + Int64(Double(now) * speed)))
    }

    /// Its own time.
    func time(at now: Int64) -> Instant { Instant(nanoseconds: offset + Int64(Double(now) * speed)) }

    /// The time at which its clock shows `instant`, rounded up.
    func moment(of instant: Instant) -> Int64 {
        let elapsed = (Double(instant.nanoseconds) - Double(offset)) / speed
        return elapsed < 0 ? 0 : elapsed > 1e17 ? .max : Int64(elapsed) + 1
    }
}

extension StoreCommand {
    /// Whether it registers the replica, and is answered with the number of all.
    var isHeartbeat: Bool {
        guard case .counts(let counts) = content else { return false }
        return counts.first?.key == .replicas
    }
}
