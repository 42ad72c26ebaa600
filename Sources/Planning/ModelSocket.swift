import Flow

/// The sockets between weir and a client: they take what they have room for, and the client reads at a constant rate.
struct ModelSocket {
    /// The bytes that they hold.
    let capacity: Double
    /// Bytes per second that the client reads; infinite for one that reads everything at once.
    let readRate: Double
    private var held = 0.0
    private var time: Instant
    /// Bytes that were written and did not fit.
    private(set) var pending = 0
    private var accepted = 0

    init(capacity: Double, readRate: Double, at now: Instant) {
        (self.capacity, self.readRate, time) = (capacity, readRate, now)
    }

    /// Bytes that the client's side has taken, as its kernel reports them.
    mutating func taken(at now: Instant) -> Int {
        advance(to: now)
        return accepted
    }

    /// Writes bytes after all earlier ones were taken.
    ///
    /// - Returns: When the sockets will have taken all of them; `nil` if they have, and never if nothing is read.
    mutating func write(_ bytes: Int, at now: Instant) -> Instant? {
        advance(to: now)
        pending += bytes
        fill()
        guard pending > 0 else { return nil }
        guard readRate > 0 else { return .distantFuture }
        return now.advanced(byNanoseconds: Int64((Double(pending) / readRate * 1e9).rounded(.up)))
    }

    /// All bytes are taken.
    mutating func tookAll(at now: Instant) {
        advance(to: now)
        accepted += pending
        held = min(capacity, held + Double(pending))
        pending = 0
    }

    private mutating func advance(to now: Instant) {
        guard readRate < .infinity else {
            (held, time) = (0, now)
            return fill()
        }
        held = max(0, held - readRate * (now - time).inSeconds)
        time = now
        fill()
    }

    private mutating func fill() {
        let fits = readRate == .infinity ? pending : min(pending, max(0, Int(capacity - held)))
        pending -= fits
        accepted += fits
        held += readRate == .infinity ? 0 : Double(fits)
    }
}
