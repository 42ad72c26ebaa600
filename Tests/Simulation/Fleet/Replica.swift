import Flow

/// One instance of the fleet: the real machines, with what the test knows about it.
struct Replica {
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

    /// A process of its own: the name that the store knows.
    let name: String
    /// The clock: its time is `offset + elapsed * speed`.
    let offset: Int64
    let speed: Double
    var limits: SharedLimits
    var streams: [Int: Stream] = [:]
    /// Streams that draw records, at most one of each client.
    var drawers: [Int: Drawer] = [:]
    var drawn = DrawLedger()
    /// Starts that wait for the store, by the sequence of their commands, with the client.
    var starts: [Int64: Int] = [:]
    /// Commands that are under way, by their sequences.
    var commands: [Int64: StoreCommand] = [:]
    /// Changes when the connection ends: answers over an older one are lost.
    var connection = 0
    /// The arrival of the last message in each direction: a connection keeps the order.
    var lastSent: Int64 = 0
    var lastReceived: Int64 = 0
    /// When the store has executed the last command of this process.
    var lastContact: Int64
    /// The time of the wake-up that is planned; earlier ones replace it.
    var wakeAt = Int64.max
    /// The share that it had before the last cut, for the planted faults.
    var largestHeld: [StoreKey: Int64] = [:]
    var isPartitioned = false
    /// Whether messages of the channel arrive; each subscription has a number.
    var isSubscribed = false
    var subscription = 0
    var lastMessage: Int64 = 0

    init(name: String, offset: Int64, speed: Double, at now: Int64) {
        (self.name, self.offset, self.speed, lastContact) = (name, offset, speed, now)
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
